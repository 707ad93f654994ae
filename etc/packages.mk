# The Debian packages that mcpd is built with, runs with and is tested with.

BUILD_PACKAGES = gcc libc6-dev make pkg-config \
	libevent-dev libtls-dev libpq-dev libjansson-dev libseccomp-dev \
	libcap-ng-dev libyaml-dev libbsd-dev libpcre2-dev libssl-dev \
	libwslay-dev libsqlite3-dev node-llhttp
RUN_PACKAGES = runsc openssl
