#!/bin/sh
# Packs the tests of models for machines that have no Java: unpacked in the image of -Pdist, docs/gpu/run.sh runs them there.
#   docs/gpu/tests.sh      makes target/dist/tests.tar.xz
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd)
tests=$root/target/dist/tests

say() { printf 'tests: %s\n' "$*" >&2; }

. "$root/.mvn/find-jdk.sh"
find_jdk
say "building ..."
(cd "$root" && JAVA_HOME=$jdk maven -q -B -ntp -Dquick -pl engine -am test-compile \
  org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath -Dmdep.includeScope=test \
  -Dmdep.outputFile=target/test-class-path)

rm -rf "$tests"
mkdir -p "$tests/lib" "$tests/target" "$tests/src/test/resources"
cp -r "$root/engine/src/test/resources/fixtures" "$tests/src/test/resources/"
"$jdk/bin/jar" -cf "$tests/lib/engine-tests.jar" -C "$root/engine/target/test-classes" dev
"$jdk/bin/jar" -cf "$tests/lib/conformance-junit.jar" -C "$root/backends/conformance-junit/target/classes" dev
# The image has the rest.
tr ':' '\n' <"$root/engine/target/test-class-path" | grep -E '/(junit|opentest4j|apiguardian)[^/]*\.jar$' |
  while IFS= read -r jar; do cp "$jar" "$tests/lib/"; done
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=2026-01-01 -C "$root/target/dist" -c tests |
  xz --threads=0 >"$tests.tar.xz"
say "$tests.tar.xz, $(($(wc -c <"$tests.tar.xz") / 1024 / 1024)) MiB"
