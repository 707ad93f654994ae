# The Debian packages that mcpd is built with, runs with and is tested with.

BUILD_PACKAGES = gcc libc6-dev make pkg-config \
	libevent-dev libtls-dev libpq-dev libjansson-dev libseccomp-dev \
	libcap-ng-dev libyaml-dev libbsd-dev libpcre2-dev libssl-dev \
	libwslay-dev libsqlite3-dev sqlite3 node-llhttp
RUN_PACKAGES = runsc
EXAMPLE_PACKAGES = openssl curl jq python3
TEST_PACKAGES = libcmocka-dev mandoc git nginx-light wrk \
	binutils procps psmisc iproute2 qemu-system-x86 busybox-static

# Installs what is missing; needs root only if something is.
WANTED =	etc/wanted-packages
packages-build:
	@sh $(WANTED) $(BUILD_PACKAGES) $(RUN_PACKAGES) $(EXAMPLE_PACKAGES)

# npm is part of some packages of Node.js, and not of Debian's own.
packages-test: packages-build
	@sh $(WANTED) $(TEST_PACKAGES)
	@command -v npm >/dev/null || sh $(WANTED) nodejs npm

.PHONY: packages-build packages-test
