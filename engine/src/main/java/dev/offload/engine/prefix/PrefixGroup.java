package dev.offload.engine.prefix;

import java.util.List;

/**
 * Sequences that share a prefix of their prompts, or one that shares none.
 *
 * @param tokens length of the prefix, whole cache blocks; 0 if nothing is shared
 * @param members their numbers, ascending
 */
record PrefixGroup(int tokens, List<Integer> members) {
  PrefixGroup {
    members = List.copyOf(members);
  }

  int first() {
    return members.getFirst();
  }
}
