package dev.offload.jobs.rows;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The labels to choose from.
 *
 * @param names at least two, none blank, no two the same; the first wins a tie
 * @param suffix what follows each label where its likelihood is asked for; not part of its name
 */
public record Labels(List<String> names, String suffix) {
  /** Most labels of a job: {@value}. */
  public static final int MAX_LABELS = 1000;

  private static final int MAX_CHARACTERS = 1000;

  public Labels {
    names = List.copyOf(names);
    if (names.size() < 2 || names.size() > MAX_LABELS) {
      throw new IllegalArgumentException(
          "there are %d labels, must be from 2 to %d".formatted(names.size(), MAX_LABELS));
    }
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < names.size(); i++) {
      check(i + 1, names.get(i));
      if (!seen.add(names.get(i))) {
        throw new IllegalArgumentException(
            "label %d, '%s', was given before; give each label once"
                .formatted(i + 1, names.get(i)));
      }
    }
  }

  private static void check(int number, String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("label " + number + " is empty; leave it out");
    }
    if (name.length() > MAX_CHARACTERS) {
      throw new IllegalArgumentException(
          "label %d has %d characters, at most %d are allowed"
              .formatted(number, name.length(), MAX_CHARACTERS));
    }
  }

  /**
   * A label that another one begins with, and the other, if the suffix does not tell them apart.
   */
  public Optional<List<String>> beginningOfAnother() {
    for (String name : names) {
      for (String other : names) {
        if (!other.equals(name) && (other + suffix).startsWith(name + suffix)) {
          return Optional.of(List.of(name, other));
        }
      }
    }
    return Optional.empty();
  }
}
