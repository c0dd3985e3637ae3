# Two commands matter: `make demo` shows Muster at work, `make test` proves it. Both install what is missing.

SWIFT ?= swift
PREFIX ?= /usr/local
# Every import must be declared: the house's rules are kept by the compiler.
CHECKS := --explicit-target-dependency-import-check=error
# What is shipped takes nothing along of the machine that built it: no Swift, no hiredis, no OpenSSL, and no folder's name; and of ICU's data
# what Muster uses.
SHIPPED = MUSTER_SHIPPED=1 MUSTER_ICU_DATA=$(CURDIR)/.build/icu/icu-data.o MUSTER_COMMIT="$$(scripts/commit)" \
	$(SWIFT) build -c release --static-swift-stdlib -Xcc -ffile-prefix-map=$(CURDIR)=. -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now $(CHECKS)

.PHONY: help demo test build lint format bench samples findings install deb check-package check-reproducible image image-lab check-image clean setup

help:
	@echo "make demo     set up, build, make a small real estate and rehearse its recovery"
	@echo "make test     set up, build and run all tests"
	@echo "make build    the release build: .build/release/muster"
	@echo "make install  the release build, its man page and shell completions, below PREFIX (/usr/local)"
	@echo "make deb      the Debian package: .build/muster_VERSION_ARCHITECTURE.deb"
	@echo "make image    the image muster, of that package; image-lab: with what the lab takes; check-image: build it and try it"
	@echo "make lint     swift format, strict"
	@echo "make format   rewrite the sources as the linter wants them"
	@echo "make bench    time and memory against the bare tools"
	@echo "make samples  reports/samples anew: what people read of a green, a red and an error run, and of an inspection"
	@echo "make findings check what surprised us in outside tools, on pinned packages from the network"
	@echo "make check-package       the package in minimal roots of Debian, without Swift, with the lab's drills"
	@echo "make check-reproducible  the package twice, in two folders: the same bytes"
	@echo "make clean    remove what was built, the demo's lab, and what killed runs left"

setup:
	@scripts/setup

build: setup
	@scripts/icu-data .build/icu
	$(SHIPPED) --product muster-sandbox
	$(SHIPPED) --product muster

install: build
	@scripts/install .build/release $(PREFIX)

deb: build
	@scripts/deb .build/release .build

check-package: deb
	@scripts/check-package .build/muster_*.deb

check-reproducible: setup
	@scripts/check-reproducible

image: deb
	@scripts/image

image-lab: deb
	@IMAGE=muster:lab TOOLS="git pgbackrest rclone python3" scripts/image
	@docker compose --file docker/compose.yaml build store

check-image: deb
	@scripts/check-image "$$(ls -t .build/muster_*.deb | head -n 1)"

demo: build
	@scripts/demo

test: setup
	@scripts/setup-tests
	$(SWIFT) build --build-tests $(CHECKS)
	@scripts/run-tests $(SWIFT)

lint: setup
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

format: setup
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

bench: build
	@scripts/bench
	@scripts/bench-pitr
	@scripts/bench-moment
	@scripts/bench-inspect
	@scripts/bench-evidence
	@scripts/bench-parallel

samples: build
	@scripts/samples

findings:
	@failed=0; for script in findings/*.sh; do echo "== $$script"; bash "$$script" || failed=1; done; exit $$failed

clean:
	@if [ -x .build/release/muster ]; then .build/release/muster clean --kept --yes; fi
	@if [ -e .build/demo/lab ]; then .build/release/muster lab destroy .build/demo/lab; fi
	rm -rf .build
