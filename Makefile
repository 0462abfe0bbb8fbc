# `make help` lists what there is.

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL_PROGRAM ?= install -s -m 755

# Where built programs are taken from, and where `make` puts what it makes.
BIN ?= .build/release
ASAN = .build-asan/release
TSAN = .build-tsan/release
OUT ?= out
# The package's architecture; another than this machine's is cross-built. What that needs is kept in CROSS_CACHE.
NATIVE := $(shell dpkg --print-architecture 2>/dev/null)
ARCH ?= $(NATIVE)
CROSS_CACHE ?= /var/cache/snapshot-cross
# The architectures of `make apt` and `make oci`, and gpg's home with the key that signs packages; a key is made on first use.
ARCHITECTURES ?= amd64 arm64
APT_KEYS ?= $(HOME)/.local/share/snapshot-packages
# What runs a built program, such as QEMU; empty where this machine runs it itself.
RUN ?=
VERSION := $(shell sed -n 's/.*snapshotVersion = "\(.*\)"/\1/p' Sources/SnapshotBase/Version.swift)
# The version's date, or today's while it has none.
RELEASED := $(or $(shell awk '$$2 == "$(VERSION)" {print $$4; exit}' CHANGELOG.md),$(shell date -u +%F))

BINDIR = $(PREFIX)/bin
UNITDIR = $(PREFIX)/lib/systemd/system
LIBDIR = $(PREFIX)/lib/snapshot
DOCDIR = $(PREFIX)/share/doc/snapshot
MANDIR = $(PREFIX)/share/man
ETCDIR = $(DESTDIR)/etc/snapshot
SHARE = $(DESTDIR)$(PREFIX)/share
# Where zsh looks: packages have a folder of their own.
ZSHDIR = $(SHARE)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

BUILD_PACKAGES = libcurl4-openssl-dev libssl-dev
RUN_PACKAGES = $(BUILD_PACKAGES) ca-certificates ffmpeg
PROGRAMS = snapshot snapshot-web
UNITS = $(notdir $(wildcard systemd/*.service systemd/*.socket systemd/*.timer))
SWIFT_SOURCES = Sources Tests Package.swift
RELEASE = -c release --static-swift-stdlib --disable-local-rpath

.NOTPARALLEL:
.PHONY: help build build-asan build-tsan run test lint format unit-test e2e settings-docs test-system test-swift-6.2 torture bench man install uninstall deb apt oci board board-kills test-arm64 clean

help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

build: ## build the programs, optimised, with the Swift runtime inside
	@scripts/require $(BUILD_PACKAGES)
	swift build $(RELEASE)
	packaging/stand-ins .build/release/../lib/snapshot

run: ## take one picture and show it, its state and its health (a simulated camera unless there is a .env)
	@scripts/require $(RUN_PACKAGES)
	swift build $(RELEASE)
	packaging/stand-ins .build/release/../lib/snapshot
	@scripts/run

test: ## check everything in a short form; what CI runs
	@rm -f $(OUT)/parts
	@scripts/part lint $(MAKE) --no-print-directory lint
	@scripts/part build $(MAKE) --no-print-directory build
	@scripts/part "build with AddressSanitizer" $(MAKE) --no-print-directory build-asan
	@scripts/part "unit tests" $(MAKE) --no-print-directory unit-test
	@SNAPSHOT_ASAN_DIR=$(ASAN) scripts/part "black-box tests" Tests/run-e2e
	@echo "torture and system tests, side by side: about four minutes"
	@scripts/together torture "Tests/run-torture --short" "system tests" "Tests/system/run short"
	@echo "Parts of the test, in seconds:" && cat $(OUT)/parts

lint: ## check the formatting of the Swift sources, their length, and what the targets import
	swift format lint --strict --recursive $(SWIFT_SOURCES)
	scripts/sizes $(SWIFT_SOURCES)
	scripts/targets

format: ## format the Swift sources in place
	swift format --in-place --recursive $(SWIFT_SOURCES)

unit-test:
	swift test

e2e: build build-asan
	SNAPSHOT_ASAN_DIR=$(ASAN) Tests/run-e2e

# Programs that report every access to memory outside an object, and every race between threads.
build-asan:
	swift build -c release --scratch-path .build-asan --sanitize=address --product snapshot
	packaging/stand-ins $(ASAN)/../lib/snapshot

build-tsan:
	swift build -c release --scratch-path .build-tsan --sanitize=thread --product snapshot
	swift build -c release --scratch-path .build-tsan --sanitize=thread --product snapshot-web
	clang -O1 -shared -fPIC -o $(TSAN)/swift-mutex.so Tests/Tools/swift-mutex.c

test-system: build ## the packaged units on a real systemd, long form (root)
	Tests/system/run long

torture: build build-asan build-tsan ## kill, fault, power cut and soak, long form, and everything under sanitizers (hours)
	swift build -c release --scratch-path .build-asan --sanitize=address --product snapshot-web
	SNAPSHOT_BIN_DIR=$(ASAN):$(BIN) E2E_ONLY="not timing and not preloads" Tests/run-e2e
	RELAY_AS_UNIT=1 SNAPSHOT_BIN_DIR=$(TSAN):$(BIN) E2E_ONLY="tsan and not timing and not preloads" Tests/run-e2e
	RELAY_AS_UNIT=1 Tests/run-e2e relay trust/test_rtsp_trust.py web/test_live.py
	Tests/run-torture
	SNAPSHOT_BIN_DIR=$(ASAN):$(BIN) Tests/run-torture

bench: build ## compare with C, curl and Python; writes bench/RESULTS.md
	bench/run

man: $(BIN)/snapshot ## write the man pages into out/man
	@mkdir -p $(OUT)/man
	@for program in $(PROGRAMS); do \
	    packaging/manpages "$(RUN) $(BIN)/$$program" $(OUT)/man $(DOCDIR); \
	done
	packaging/manual-7 $(VERSION) docs/how-it-works.md docs/codes.md >$(OUT)/man/snapshot.7
	@sed -i 's/^\(\.TH [^ ]* [0-9]\) ""/\1 "$(RELEASED)"/' $(OUT)/man/*

settings-docs: $(BIN)/snapshot ## write docs/settings.md and README's table of settings
	@scripts/settings-docs "$(RUN) $(BIN)/snapshot"

install: man ## install under PREFIX (/usr/local); settings that are there stay as they are
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(UNITDIR) $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(MANDIR)/man1
	install -d $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	install -d $(SHARE)/bash-completion/completions $(ZSHDIR) $(SHARE)/fish/vendor_completions.d
	$(INSTALL_PROGRAM) $(PROGRAMS:%=$(BIN)/%) $(DESTDIR)$(BINDIR)
	install -D -m 644 -t $(DESTDIR)$(LIBDIR) $(BIN)/../lib/snapshot/libsnapshot-*.so
	cp -P $(BIN)/../lib/snapshot/*.so.* $(DESTDIR)$(LIBDIR)
	for unit in $(UNITS); do \
	    sed 's|/usr/bin/|$(BINDIR)/|; s|/usr/share/doc/snapshot|$(DOCDIR)|' systemd/$$unit >$(DESTDIR)$(UNITDIR)/$$unit; \
	    chmod 644 $(DESTDIR)$(UNITDIR)/$$unit; \
	done
	install -D -m 644 systemd/snapshot.mount.conf $(DESTDIR)$(UNITDIR)/run-credentials-.mount.d/snapshot.conf
	install -m 644 systemd/snapshot.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/snapshot.conf
	install -m 644 systemd/snapshot.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/snapshot.conf
	install -m 644 systemd/examples/*.conf $(DESTDIR)$(DOCDIR)/examples
	install -m 644 README.md RELIABILITY.md SECURITY.md CHANGELOG.md $(DESTDIR)$(DOCDIR)
	install -m 644 $(OUT)/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 $(OUT)/man/snapshot.env.5
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man7 $(OUT)/man/snapshot.7
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs docs/*.md
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs/recipes docs/recipes/*.md
	for program in $(PROGRAMS); do \
	    script="$(RUN) $(BIN)/$$program --generate-completion-script"; \
	    $$script bash | sed '1{/^#!/d}' >$(SHARE)/bash-completion/completions/$$program && \
	    $$script zsh >$(ZSHDIR)/_$$program && \
	    $$script fish >$(SHARE)/fish/vendor_completions.d/$$program.fish || exit 1; \
	done
	install -d -m 750 $(ETCDIR)
	install -d -m 700 $(ETCDIR)/credentials
	test -e $(ETCDIR)/snapshot.env || { install -m 640 packaging/snapshot.env $(ETCDIR) && \
	    sed -i 's|/usr/share/doc/snapshot|$(DOCDIR)|' $(ETCDIR)/snapshot.env; }
	@test -n "$(DESTDIR)" || sh packaging/postinst configure

uninstall: ## remove what `make install` put there; settings, pictures and state stay
	@test -n "$(DESTDIR)" || sh packaging/prerm remove
	rm -f $(PROGRAMS:%=$(DESTDIR)$(BINDIR)/%) $(UNITS:%=$(DESTDIR)$(UNITDIR)/%)
	rm -rf $(DESTDIR)$(LIBDIR)
	rm -f $(DESTDIR)$(UNITDIR)/run-credentials-.mount.d/snapshot.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/sysusers.d/snapshot.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/snapshot.conf
	rm -f $(DESTDIR)$(MANDIR)/man1/snapshot.1 $(DESTDIR)$(MANDIR)/man1/snapshot-*.1 $(DESTDIR)$(MANDIR)/man7/snapshot.7
	rm -f $(DESTDIR)$(MANDIR)/man5/snapshot.env.5
	rm -f $(PROGRAMS:%=$(SHARE)/bash-completion/completions/%) $(PROGRAMS:%=$(ZSHDIR)/_%)
	rm -f $(PROGRAMS:%=$(SHARE)/fish/vendor_completions.d/%.fish)
	rm -rf $(DESTDIR)$(DOCDIR)
	@test -n "$(DESTDIR)" || sh packaging/postrm remove

ifeq ($(ARCH),$(NATIVE))
deb: $(BIN)/snapshot ## build out/snapshot_VERSION_ARCH.deb (with ARCH=arm64 on an amd64 machine, too)
	@scripts/require dpkg-dev xz-utils
	packaging/deb $(BIN) $(OUT) $(VERSION) $(ARCH)
	@echo "next: sudo apt install $(abspath $(OUT))/snapshot_$(VERSION)_$(ARCH).deb && sudo snapshot setup"
else
deb:
	packaging/cross/deb $(CROSS_CACHE) $(OUT) $(VERSION) $(ARCH)
	@echo "next, with it on the board: sudo apt install ./snapshot_$(VERSION)_$(ARCH).deb && sudo snapshot setup"
endif

apt: ## build out/apt, a signed apt repository of the packages for any web server (root, for the cross build)
	@scripts/require apt-utils gnupg xz-utils
	@for architecture in $(ARCHITECTURES); do $(MAKE) --no-print-directory deb ARCH=$$architecture || exit 1; done
	packaging/apt $(OUT) $(VERSION) $(APT_KEYS) $(ARCHITECTURES)

oci: ## build out/snapshot_VERSION_oci.tar, a container image for both architectures (root, for the cross build)
	@scripts/require dpkg-dev debian-archive-keyring
	@for architecture in $(ARCHITECTURES); do $(MAKE) --no-print-directory deb ARCH=$$architecture || exit 1; done
	packaging/oci $(OUT) $(VERSION) $(CROSS_CACHE) $(ARCHITECTURES)

ARM64 = .build-arm64/aarch64-unknown-linux-gnu/release
BOARD = Tests/board/run $(CROSS_CACHE) $(OUT)/snapshot_$(VERSION)_arm64.deb $(ARM64)

board: ## an emulated board: install, timer, clock from 1970, power cut, relay, 16 KiB pages, what it costs (root)
	@$(MAKE) --no-print-directory deb ARCH=arm64
	$(BOARD)

board-kills: ## twenty power cuts of an emulated board (root)
	@$(MAKE) --no-print-directory deb ARCH=arm64
	$(BOARD) --kills 20

test-arm64: ## the black-box tests on the arm64 programs under QEMU, except those that measure time (root, hours)
	packaging/cross/programs $(CROSS_CACHE) sigv4-sign
	Tests/run-arm64 $(CROSS_CACHE) $(ARM64)

test-swift-6.2: ## build everything with Debian sid's Swift 6.2, the oldest that must work (root)
	packaging/cross/toolchain $(CROSS_CACHE)
	packaging/cross/swift $(CROSS_CACHE) . build --build-tests --scratch-path .build-swift-6.2

$(BIN)/snapshot:
	$(MAKE) build

clean: ## remove what was built
	rm -rf .build .build-asan .build-tsan .build-arm64 .build-swift-6.2 $(OUT)
