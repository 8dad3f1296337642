package provider;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.security.oauth2.server.authorization.InMemoryOAuth2AuthorizationService;
import org.springframework.security.oauth2.server.authorization.OAuth2Authorization;
import org.springframework.security.oauth2.server.authorization.OAuth2AuthorizationService;
import org.springframework.security.oauth2.server.authorization.OAuth2TokenType;
import org.springframework.stereotype.Component;

/** The service that comes with Spring, and a list of what is in it. */
@Component
class Authorizations implements OAuth2AuthorizationService {
    private final OAuth2AuthorizationService kept = new InMemoryOAuth2AuthorizationService();
    private final Set<String> ids = ConcurrentHashMap.newKeySet();

    /** Those of one person with one client whose refresh token is good. */
    List<OAuth2Authorization> live(String registeredClientId, String person) {
        return ids.stream()
            .map(this::findById)
            .filter(one -> one != null && one.getRegisteredClientId().equals(registeredClientId))
            .filter(one -> one.getPrincipalName().equals(person))
            .filter(one -> one.getRefreshToken() != null && one.getRefreshToken().isActive())
            .toList();
    }

    @Override
    public void save(OAuth2Authorization authorization) {
        kept.save(authorization);
        ids.add(authorization.getId());
    }

    @Override
    public void remove(OAuth2Authorization authorization) {
        kept.remove(authorization);
        ids.remove(authorization.getId());
    }

    @Override
    public OAuth2Authorization findById(String id) {
        return kept.findById(id);
    }

    @Override
    public OAuth2Authorization findByToken(String token, OAuth2TokenType type) {
        return kept.findByToken(token, type);
    }
}
