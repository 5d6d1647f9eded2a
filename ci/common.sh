# What the scripts of this directory share. Sourced, never run.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# A login shell would have it on its path; `su` and `sudo` may not. Debian's own Rust, which
# ci/cross may need, has neither clippy nor rustfmt, and never stands in for it.
case $(command -v cargo) in
    '' | /usr/bin/cargo)
        if [[ -x $HOME/.cargo/bin/cargo ]]; then
            PATH=$HOME/.cargo/bin:$PATH
        fi
        ;;
esac

say() {
    printf '== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_root() {
    [[ $(id -u) -eq 0 ]]
}

is_debian() {
    command -v apt-get >/dev/null
}

# Whether a version of rustc is at least the one that Cargo.toml asks for.
is_new_enough() {
    local least
    least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    [[ $(printf '%s\n' "$least" "$1" | sort -V | head -n 1) == "$least" ]]
}

# A nightly toolchain with these components. They come from rustup's servers, and from nowhere else.
NIGHTLY=${ISOL_NIGHTLY-nightly}
need_nightly() {
    command -v rustup >/dev/null || die "there is no rustup, and what this takes comes from nowhere else"
    rustup toolchain list | grep -q "^$NIGHTLY" ||
        rustup toolchain install "$NIGHTLY" --profile minimal ||
        die "rustup can't install a nightly toolchain"
    rustup component add --toolchain "$NIGHTLY" "$@" || die "rustup can't install: $*"
}

# A root with a program in it that only ends, in $work, and a directory in $out, for isol under callgrind; both go with
# the script. callgrind writes to $out where isol is by then: inside the root, as the program's user.
make_root_for_callgrind() {
    work=/srv/isol-${0##*/}-$$
    out=$(mktemp -d "/tmp/isol-${0##*/}-XXXXXX")
    trap 'rm -rf "$work" "$out"' EXIT
    mkdir -p "$work/bin" "$work/tmp"
    mkdir -m 1777 "$work$out"
    chmod 755 "$work" "$work/bin"
    chmod 1777 "$work$out" "$out"
    cc -O2 -static -o "$work/bin/true" benches/floors/true.c
    # isol looks at the whole table of descriptors, at whose end valgrind has its own.
    ulimit -n 512
}
