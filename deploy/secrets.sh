#!/usr/bin/env bash
# Makes what the services of docker-compose.yml prove themselves with, each for those who need it: a folder below
# /secrets is a volume that nobody else gets. What is there already stays as it is.
set -euo pipefail
umask 022
folder=${SECRETS:-/secrets}

random() { head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }
# Whole or not at all: half a secret, of a start that was stopped or found no room, would stay.
write() { printf '%s' "$2" > "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; }
put() { [ -s "$folder/$1" ] || write "$1" "$2"; }
get() { cat "$folder/$1"; }

put postgres/password "$(random)"
put service/database_url "postgres://nightkeep:$(get postgres/password)@postgres:5432/nightkeep"

redis=$(random)
put redis/redis.conf "requirepass $redis"
put service/redis_url "redis://:$(get redis/redis.conf | cut -d' ' -f2)@redis:6379"

put service/keyring "k1:$(random)"

# The client secret of a provider of your own comes from .env; that of the Keycloak here is made up.
[ -z "${OIDC_CLIENT_SECRET:-}" ] || write service/client_secret "$OIDC_CLIENT_SECRET"
put service/client_secret "$(random)"
put keycloak/nightkeep_client_secret "$(get service/client_secret)"
put keycloak/admin_password "$(random)"

webdav=$(random)
put webdav/client_secret.conf "OIDCOAuthClientSecret $webdav"
put keycloak/webdav_client_secret "$(get webdav/client_secret.conf | cut -d' ' -f2)"
