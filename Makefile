# `make test` installs what the tests need from the system's package manager, then passes them.
CARGO ?= cargo

.PHONY: test prerequisites demo bench fuzz

test: prerequisites
	$(CARGO) test --workspace --all-features --locked

# strace kills a release at every step; without it those tests cannot run. A C compiler builds zstd.
# Go's packages check the ledger, and Python runs the server that a ledger in a bucket is tested on.
prerequisites:
	@missing=""; \
	command -v strace >/dev/null || missing="$$missing strace"; \
	command -v cc >/dev/null || missing="$$missing gcc"; \
	[ -d /usr/share/gocode/src/golang.org/x/mod ] && command -v go >/dev/null || missing="$$missing golang-go golang-golang-x-mod-dev"; \
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

bench:
	bench/compare

fuzz:
	fuzz/run
