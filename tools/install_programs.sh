#!/bin/sh
# Install the programs that the tests start, where a package manager and the right to use it are there.
# What stays missing is a counted, printed skip in the tests, and a failure where CI=true.
set -u

missing=""
need() { # program package
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need nginx nginx-extras
need chromium chromium
need curl curl
need jq jq
need redis-server redis-server
need apache2 apache2
need haproxy haproxy
need varnishd varnish
need squid squid
need lighttpd lighttpd
need brotli brotli
need patch patch
need openssl openssl
need etcd etcd-server
need node nodejs
need npm npm
need faketime faketime
[ -d /usr/lib/lighttpd ] && ls /usr/lib/lighttpd/mod_webdav.so >/dev/null 2>&1 || need lighttpd-mod-webdav lighttpd-mod-webdav
[ -d /usr/share/tomcat10 ] || need tomcat10 tomcat10
# Debian keeps these off everybody's PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql

[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "not installed (no apt here), tests that need them are skipped:$missing"
  exit 0
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
  else
    echo "not installed (no right to), tests that need them are skipped:$missing"
    echo "install them with: sudo apt-get install$missing"
    exit 0
  fi
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Services of the packages are not started: tests start their own on free ports.
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null && $sudo chmod +x "$policy" && made=yes
fi
install() {
  $sudo apt-get -o Acquire::Retries=5 install -y -qq --no-install-recommends "$@" >/dev/null
}
failed=""
$sudo apt-get -o Acquire::Retries=5 update -qq
# One package that is not to be had must not keep the others away.
install $missing || for package in $missing; do install "$package" || failed="$failed $package"; done
[ -z "$made" ] || $sudo rm -f "$policy"
[ -z "$failed" ] || echo "could not install:$failed"
exit 0
