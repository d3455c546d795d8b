package dev.offload.jobs.rows;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: system, developer, user, assistant or tool
 * @param content what was said; null if the turn consists of tool calls alone
 * @param more further fields that a template may read, such as {@code name} and {@code tool_calls},
 *     as plain data: null, texts, booleans, longs, doubles, lists and maps
 */
public record ChatMessage(String role, String content, Map<String, Object> more) {
  public ChatMessage {
    more = Collections.unmodifiableMap(new LinkedHashMap<>(more));
  }

  /** A turn of text alone. */
  public ChatMessage(String role, String content) {
    this(role, content, Map.of());
  }

  /** All fields as a template reads them. */
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("role", role);
    fields.put("content", content);
    fields.putAll(more);
    return fields;
  }
}
