#!/bin/sh
# Makes the image: a folder, and an archive of it, with which a Linux machine that has no Java runs offload.
#
# usage: build.sh ROOT JARS NAME   the checkout, the folder with the program's jars, the image's name
set -eu

root=$1
jars=$2
name=$3
dist=$root/target/dist
image=$dist/$name

say() { printf 'dist: %s\n' "$*" >&2; }

. "$root/.mvn/find-jdk.sh"
find_jdk
case $(uname -s)-$(uname -m) in
  Linux-x86_64) ;;
  *)
    say "images are made for Linux on x86-64, on such a machine; this is $(uname -s) on $(uname -m)"
    exit 2
    ;;
esac
command -v xz >/dev/null || {
  say "needs xz (Debian, Ubuntu: apt install xz-utils)"
  exit 2
}

rm -rf "$dist"
mkdir -p "$image/bin" "$image/lib"

# Of java.desktop only java.beans is used, by the library of chat templates: none of its native parts.
modules=java.base,java.desktop,java.logging,java.management,java.naming,java.sql,java.xml
"$jdk/bin/jlink" --add-modules "$modules,jdk.incubator.vector,jdk.management,jdk.unsupported" \
  --strip-debug --no-header-files --no-man-pages \
  --exclude-files="glob:/java.desktop/lib/**" \
  --output "$image/runtime"
"$jdk/bin/java" "$root/batch-jobs/src/dist/StoredJars.java" "$jars" "$image/lib"

cp "$root/batch-jobs/src/dist/java.options" "$image/lib/"
cp "$root/batch-jobs/src/dist/offload" "$image/bin/"
cp "$root/LICENSE" "$root/README.md" "$root/CHANGELOG.md" "$image/"
cp -r "$root/docs" "$image/"
mkdir "$image/examples"
cp -r "$root/examples/shapes" "$root"/examples/*.jsonl "$image/examples/"

# The filter takes another twentieth of programs for x86, the dictionary a fiftieth of all.
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 -C "$dist" -c "$name" |
  xz --threads=0 --x86 --lzma2=preset=6,dict=64MiB >"$image.tar.xz"
packed=$(wc -c <"$image.tar.xz")
say "$image.tar.xz, $((packed / 1024)) KiB"
[ "$packed" -le "$((60 * 1024 * 1024))" ] || {
  say "that is more than 60 MiB; look with 'du -a $image | sort -n' what grew"
  exit 1
}
