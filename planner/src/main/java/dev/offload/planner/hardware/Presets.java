package dev.offload.planner.hardware;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Well-known machines, from figures that others stated. Immutable. */
public final class Presets {
  private static final int MOST_TYPING_ERRORS = 2;

  private final Map<String, Preset> presets;

  private Presets(Map<String, Preset> presets) {
    this.presets = presets;
  }

  /** Reads those that come with the program. */
  public static Presets load() {
    JsonMapper mapper = new JsonMapper();
    JsonNode guessed = resource(mapper, "assumed.json");
    Map<String, Preset> presets = new LinkedHashMap<>();
    for (JsonNode entry : resource(mapper, "presets.json")) {
      String name = entry.path("name").textValue();
      presets.put(name, new PresetReader(entry, guessed.path(name)).read());
    }
    return new Presets(presets);
  }

  private static JsonNode resource(JsonMapper mapper, String name) {
    try (InputStream stream = Presets.class.getResourceAsStream(name)) {
      return mapper.readTree(stream);
    } catch (IOException e) {
      throw new UncheckedIOException("the program's own " + name + " cannot be read", e);
    }
  }

  /** Their names. */
  public List<String> names() {
    return List.copyOf(presets.keySet());
  }

  /** All of them. */
  public List<Preset> all() {
    return List.copyOf(presets.values());
  }

  /**
   * A machine by name; case, blanks, hyphens and the word {@code nvidia} do not matter.
   *
   * @throws IllegalArgumentException if there is none, with the names that are closest
   */
  public Preset find(String name) {
    String plain = plain(name);
    for (Map.Entry<String, Preset> each : presets.entrySet()) {
      if (plain(each.getKey()).equals(plain)) {
        return each.getValue();
      }
    }
    List<String> close = closeTo(plain);
    throw new IllegalArgumentException(
        "there is no preset '%s'%s; presets are %s"
            .formatted(
                name,
                close.isEmpty() ? "" : ", did you mean " + String.join(" or ", close) + "?",
                String.join(", ", names())));
  }

  private List<String> closeTo(String plain) {
    List<String> close = new ArrayList<>();
    if (plain.isEmpty()) {
      return close;
    }
    int least = MOST_TYPING_ERRORS;
    for (String name : names()) {
      int distance = plain(name).contains(plain) ? 0 : distance(plain, plain(name));
      if (distance < least) {
        close.clear();
        least = distance;
      }
      if (distance == least) {
        close.add(name);
      }
    }
    return close;
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replace("nvidia", "").replaceAll("[^a-z0-9]", "");
  }

  /** Insertions, deletions and changes of letters from one to the other (Levenshtein). */
  private static int distance(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int change = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }
}
