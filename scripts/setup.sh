#!/usr/bin/env bash
# Installs what the test suites judge Nightkeep by, on Debian and its kin. Quick when all is there.
# No service is started by the installation, and none that runs is touched.
set -euo pipefail

packages=(
  restic rclone                                        # the stock program that reads our repositories; what users would script
  apache2 libapache2-mod-auth-openidc                  # WebDAV that checks bearer tokens
  lighttpd lighttpd-mod-webdav nginx-extras            # WebDAV servers that differ in what they say of change
  php-cli php-xml php-sqlite3 php-sabre-dav            # sabre/dav, the library in Nextcloud
  radicale xandikos                                    # calendars and contacts, which differ in what they say of change
  davical php8.2-cgi php-pgsql libdbd-pg-perl          # another one, in PostgreSQL, and what it needs without an Apache
  dovecot-imapd                                        # mail, with access tokens
  chromium                                             # the browser suite
  libarchive-tools unzip                               # bsdtar and unzip, which read our zips
  iproute2                                             # network namespaces, which are machines to the chaos suite
  redis-server                                         # the queue's other backend
  prometheus                                           # promtool, which reads our metrics and alert rules
  glewlwyd sqlite3                                     # an OpenID provider, and what makes its database
  lemonldap-ng libdbd-sqlite3-perl                     # another one, its people in a database, and what its portal loads anyway
  libconvert-base32-perl libconvert-pem-perl libcrypt-openssl-bignum-perl libcrypt-openssl-rsa-perl
  libcrypt-openssl-x509-perl libemail-sender-perl libgd-perl libgd-securityimage-perl libimage-magick-perl
  libio-string-perl libmime-tools-perl libstring-random-perl
)
# Keycloak is fetched by Maven, Spring Authorization Server is built by it, and Java runs both. Any of either will do.
command -v mvn > /dev/null || packages+=(maven)
command -v javac > /dev/null || packages+=(openjdk-17-jdk-headless)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = 'install ok installed' ] || missing+=("$package")
done

if ! command -v apt-get > /dev/null; then
  echo "setup: this is not Debian. Install by hand: ${packages[*]}" >&2
  exit 1
fi
if [ "${#missing[@]}" -eq 0 ]; then
  echo "setup: all ${#packages[@]} packages are there"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "setup: not root. Run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

# Debian starts a service when it is installed, unless this file answers 101; it is there only for the while.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
echo "setup: installing ${missing[*]}"
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
echo 'setup: done'
