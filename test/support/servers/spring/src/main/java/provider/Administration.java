package provider;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClient;
import org.springframework.security.oauth2.server.authorization.client.RegisteredClientRepository;
import org.springframework.security.oauth2.server.authorization.settings.ClientSettings;
import org.springframework.security.oauth2.server.authorization.settings.TokenSettings;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Clients and people, and what an administrator does about them. */
@RestController
@RequestMapping("/administration")
class Administration implements RegisteredClientRepository {
    record Client(String secret, String redirectUri, boolean rotates) {}

    record Person(String password, boolean enabled) {}

    private final Map<String, RegisteredClient> clients = new ConcurrentHashMap<>();
    private final Authorizations authorizations;
    private final InMemoryUserDetailsManager people;

    Administration(Authorizations authorizations, InMemoryUserDetailsManager people) {
        this.authorizations = authorizations;
        this.people = people;
    }

    /** Makes the client, or changes it. */
    @PutMapping("/clients/{id}")
    void putClient(@PathVariable String id, @RequestBody Client client) {
        var tokens = TokenSettings.builder()
            .accessTokenTimeToLive(Duration.ofMinutes(5))
            .refreshTokenTimeToLive(Duration.ofDays(30))
            .reuseRefreshTokens(!client.rotates())
            .build();
        clients.put(id, RegisteredClient.withId(id)
            .clientId(id)
            .clientSecret("{noop}" + client.secret())
            .clientAuthenticationMethod(ClientAuthenticationMethod.CLIENT_SECRET_BASIC)
            .authorizationGrantType(AuthorizationGrantType.AUTHORIZATION_CODE)
            .authorizationGrantType(AuthorizationGrantType.REFRESH_TOKEN)
            .redirectUri(client.redirectUri())
            .scopes(scopes -> scopes.addAll(List.of("openid", "profile", "email", "offline_access")))
            .clientSettings(ClientSettings.builder().requireAuthorizationConsent(true).requireProofKey(true).build())
            .tokenSettings(tokens)
            .build());
    }

    @PutMapping("/people/{name}")
    void putPerson(@PathVariable String name, @RequestBody Person person) {
        var user = User.withUsername(name)
            .password("{noop}" + person.password())
            .roles("PERSON")
            .disabled(!person.enabled())
            .build();
        if (people.userExists(name)) people.updateUser(user);
        else people.createUser(user);
    }

    /** How many refresh tokens of that person are good. */
    @GetMapping("/clients/{id}/people/{name}")
    int countAuthorizations(@PathVariable String id, @PathVariable String name) {
        return authorizations.live(id, name).size();
    }

    /** Ends what the person has given to the client. */
    @DeleteMapping("/clients/{id}/people/{name}")
    void endAuthorizations(@PathVariable String id, @PathVariable String name) {
        authorizations.live(id, name).forEach(authorizations::remove);
    }

    @Override
    public void save(RegisteredClient client) {
        clients.put(client.getId(), client);
    }

    @Override
    public RegisteredClient findById(String id) {
        return clients.get(id);
    }

    @Override
    public RegisteredClient findByClientId(String clientId) {
        return clients.get(clientId);
    }
}
