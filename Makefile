# `make test` installs what the tests need from the system's package manager, then passes them.
CARGO ?= cargo

.PHONY: test test-bucket test-symbolic test-cedar test-oscal prerequisites demo images bench fuzz

test: prerequisites
	$(CARGO) test --workspace --locked

# A ledger in a bucket, against a server that Python's package index has. The feature changes what DataFusion is built with, so it
# is not part of `make test`, which shares its build with the demonstration.
test-bucket: prerequisites
	$(CARGO) test -p chancery-ledger --features s3 --locked --test it s3::

# The second prover. Its compiler takes minutes to build, so it is not part of `make test`.
test-symbolic: prerequisites
	$(CARGO) test -p chancery-law --features symbolic --locked --test it symbolic::

# Bundles that `law export` writes, decided again by Cedar's own command line tool, built in a folder of its own.
CEDAR_TOOL ?= $(HOME)/.cache/chancery/cedar
test-cedar: prerequisites
	CARGO_TARGET_DIR="$(CEDAR_TOOL)/target" $(CARGO) install cedar-policy-cli --version 4.14.1 --locked --debug --quiet --root "$(CEDAR_TOOL)"
	CEDAR="$(CEDAR_TOOL)/bin/cedar" $(CARGO) test -p chancery-law --features stock-cedar --locked --test it export::

# What a review writes for other tools, read by those tools, which Python's package index has.
TARGET ?= $(or $(CARGO_TARGET_DIR),target)
test-oscal: prerequisites
	$(CARGO) build -p chancery --locked
	crates/chancery/tests/oscal/check $(abspath $(TARGET))/debug/chancery $(abspath $(TARGET))/tmp/oscal

# strace kills the program at every step; without it those tests cannot run. A C compiler builds zstd and SQLite. Go's packages and
# a browser check the ledger, Node.js drives that browser over the report to the public, and Python runs the server that a ledger in a
# bucket is tested on. cvc5 is the solver of `law prove`. poppler and qpdf read letters and exhibits; OpenSSL and Python check the bundle
# of an exhibit as a stranger would.
prerequisites:
	@missing=""; \
	command -v strace >/dev/null || missing="$$missing strace"; \
	command -v cc >/dev/null || missing="$$missing gcc"; \
	[ -d /usr/share/gocode/src/golang.org/x/mod ] && command -v go >/dev/null || missing="$$missing golang-go golang-golang-x-mod-dev"; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || [ -n "$$CHROMIUM" ] || missing="$$missing chromium"; \
	command -v node >/dev/null && command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v "$${CVC5:-cvc5}" >/dev/null || missing="$$missing cvc5"; \
	command -v pdftoppm >/dev/null && command -v pdfinfo >/dev/null && command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	command -v qpdf >/dev/null || missing="$$missing qpdf"; \
	command -v openssl >/dev/null || missing="$$missing openssl"; \
	python3 -c 'import ensurepip' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  if command -v apt-get >/dev/null; then $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $$missing; \
	  elif command -v dnf >/dev/null; then $$sudo dnf install -y $$missing; \
	  elif command -v brew >/dev/null; then brew install $$missing; \
	  else echo "please install:$$missing" >&2; exit 1; fi; \
	fi

demo:
	$(CARGO) run --locked -- demo

# What the demonstration ends with, in docs/images. Its keys are new each time, and so are the pictures.
images: prerequisites
	$(CARGO) build -p chancery --locked
	docs/images/make $(abspath $(TARGET))/debug/chancery

bench:
	bench/compare

fuzz:
	fuzz/run
