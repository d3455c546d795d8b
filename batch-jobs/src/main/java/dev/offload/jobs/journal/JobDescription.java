package dev.offload.jobs.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What decides the answers of a job, by name: the input, the model, and the options that change
 * what is generated. A journal is continued only by a job with the same description.
 *
 * @param facts name to value, in the order in which differences are reported
 */
public record JobDescription(Map<String, String> facts) {
  private static final JsonMapper JSON = new JsonMapper();

  public JobDescription {
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
  }

  byte[] toJson() {
    try {
      return JSON.writeValueAsBytes(facts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a map of texts cannot fail to be written", e);
    }
  }

  static JobDescription fromJson(byte[] json) throws JournalException {
    try {
      return new JobDescription(JSON.readValue(json, new TypeReference<>() {}));
    } catch (IOException e) {
      throw new JournalException("the description in its header is not readable", e);
    }
  }

  /**
   * Checks that a job is the one this description was written for.
   *
   * @throws JournalException naming the first fact that differs, with both values
   */
  void refuseOther(JobDescription now) throws JournalException {
    Set<String> names = new LinkedHashSet<>(facts.keySet());
    names.addAll(now.facts.keySet());
    for (String name : names) {
      String then = facts.get(name);
      String given = now.facts.get(name);
      if (!Objects.equals(then, given)) {
        throw new JournalException(
            "it was begun with %s = %s, now %s = %s; give what it was begun with, or begin again"
                    .formatted(name, then, name, given)
                + " with --overwrite");
      }
    }
  }
}
