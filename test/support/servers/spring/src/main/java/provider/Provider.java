package provider;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.oauth2.core.oidc.endpoint.OidcParameterNames;
import org.springframework.security.oauth2.server.authorization.settings.AuthorizationServerSettings;
import org.springframework.security.oauth2.server.authorization.token.JwtEncodingContext;
import org.springframework.security.oauth2.server.authorization.token.OAuth2TokenCustomizer;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.LoginUrlAuthenticationEntryPoint;
import org.springframework.security.web.util.matcher.MediaTypeRequestMatcher;

/** Spring Authorization Server with its own sign-in and consent pages. Everything is in memory. */
@SpringBootApplication
public class Provider {
    public static void main(String[] arguments) {
        SpringApplication.run(Provider.class, arguments);
    }

    @Bean
    @Order(1)
    SecurityFilterChain protocolChain(HttpSecurity http) throws Exception {
        var signIn = new LoginUrlAuthenticationEntryPoint("/login");
        return http
            .oauth2AuthorizationServer(server -> {
                http.securityMatcher(server.getEndpointsMatcher());
                server.oidc(withDefaults());
            })
            .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
            .exceptionHandling(handling -> handling.defaultAuthenticationEntryPointFor(
                signIn, new MediaTypeRequestMatcher(MediaType.TEXT_HTML)))
            .build();
    }

    /** What a test does as the administrator; nobody else reaches this port of loopback. */
    @Bean
    @Order(2)
    SecurityFilterChain administrationChain(HttpSecurity http) throws Exception {
        return http
            .securityMatcher("/administration/**")
            .csrf(csrf -> csrf.disable())
            .authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
            .build();
    }

    @Bean
    @Order(3)
    SecurityFilterChain pagesChain(HttpSecurity http) throws Exception {
        return http
            .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
            .formLogin(withDefaults())
            .build();
    }

    /** The issuer is whatever address it is asked by. */
    @Bean
    AuthorizationServerSettings settings() {
        return AuthorizationServerSettings.builder().build();
    }

    @Bean
    InMemoryUserDetailsManager people() {
        return new InMemoryUserDetailsManager(User.withUsername("nobody").password("{noop}").disabled(true).build());
    }

    /** The ID token tells the name that people sign in with; the access token stays as it comes. */
    @Bean
    OAuth2TokenCustomizer<JwtEncodingContext> names() {
        return context -> {
            if (OidcParameterNames.ID_TOKEN.equals(context.getTokenType().getValue()))
                context.getClaims().claim("preferred_username", context.getPrincipal().getName());
        };
    }
}
