#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml reads, once; existing ones stay as they are.
set -euo pipefail
umask 077
folder="$(cd "$(dirname "$0")" && pwd)/secrets"
mkdir -p "$folder"

random() { head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }
# The containers run as other users than you: the folder is closed to others, its files are not.
put() { [ -e "$folder/$1" ] || { printf '%s' "$2" > "$folder/$1" && chmod 644 "$folder/$1"; }; }

put postgres_password "$(random)"
put database_url "postgres://nightkeep:$(cat "$folder/postgres_password")@postgres:5432/nightkeep"
put client_secret "$(random)"
put keycloak_admin_password "$(random)"
put keyring "k1:$(random)"
echo "secrets are in $folder; keep a copy of the keyring: without it nothing that is sealed opens again"
