# shellcheck shell=sh
# What the scripts of this checkout share: a JDK and Maven. Sourced; needs root, the checkout, and
# say, which prints to people.

needed=25

# Whether folder $1 is a JDK that is new enough, by its release file (starting a JVM would cost more).
is_usable() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
  while IFS= read -r line; do
    case $line in
      JAVA_VERSION=*)
        version=${line#*\"}
        version=${version%%[!0-9]*}
        [ "${version:-0}" -ge "$needed" ]
        return
        ;;
    esac
  done <"$1/release"
  return 1
}

# Sets jdk.
find_jdk() {
  if [ -n "${OFFLOAD_JAVA_HOME:-}" ]; then
    jdk=$OFFLOAD_JAVA_HOME
    is_usable "$jdk" && return
    say "OFFLOAD_JAVA_HOME=$jdk is not a JDK $needed or newer"
    exit 2
  fi
  on_path=$(command -v javac || true)
  [ -z "$on_path" ] || on_path=$(dirname -- "$(dirname -- "$(readlink -f -- "$on_path")")")
  for jdk in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home; do
    if [ -n "$jdk" ] && is_usable "$jdk"; then return; fi
  done
  say "needs a JDK $needed or newer; there is none in JAVA_HOME, on the PATH, or in /usr/lib/jvm," \
    "~/.sdkman, ~/.jdks. Install one (https://adoptium.net has them) or set OFFLOAD_JAVA_HOME."
  exit 2
}

maven() {
  if command -v mvn >/dev/null 2>&1; then mvn "$@"; else "$root/mvnw" "$@"; fi
}
