# Each recipe is a script in ci/, which can be called without just.

default:
    @just --list

# Install what building and testing need
setup:
    ci/setup

# Say whether the code is formatted
fmt:
    ci/fmt

# Format it
fmt-fix:
    ci/fmt --fix

# Every lint
lint:
    ci/lint

# Count the crates from outside
dependencies:
    ci/dependencies

# The tests, as an ordinary user
unprivileged:
    ci/unprivileged

# isol and its tests, for FreeBSD and macOS
cross *targets:
    ci/cross {{targets}}

# Attack this host's guarantees, and keep the verdicts
prove:
    ci/prove

# What Miri has to say
miri:
    ci/miri

# Everything that has to hold before a change goes in
test:
    ci/test

# The command as it is meant to be installed
release:
    ci/release

# Measure, and write docs/performance.md
bench:
    ci/bench

# Count the instructions of a launch
instructions *options:
    ci/instructions {{options}}

# id(1) in a throw-away root
demo:
    ci/demo

# What other tools leave open: writes docs/comparison.md
compare:
    ci/compare
