package dev.offload.jobs.rows;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON as plain Java data: null, texts, booleans, longs, doubles, lists and maps. */
final class PlainData {
  private PlainData() {}

  /**
   * A value.
   *
   * @param path what messages call it
   */
  static Object of(String path, JsonNode value) throws RowException {
    return switch (value.getNodeType()) {
      case OBJECT -> map(path, value);
      case ARRAY -> {
        List<Object> list = new ArrayList<>(value.size());
        for (JsonNode each : value) {
          list.add(of(path + "[" + list.size() + "]", each));
        }
        yield list;
      }
      case STRING -> Fields.text(path, value);
      case BOOLEAN -> value.booleanValue();
      case NUMBER -> number(path, value);
      default -> null;
    };
  }

  /** The fields of an object. */
  static Map<String, Object> map(String path, JsonNode object) throws RowException {
    Map<String, Object> map = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      map.put(field.getKey(), of(path + "." + field.getKey(), field.getValue()));
    }
    return map;
  }

  private static Number number(String path, JsonNode value) throws RowException {
    if (!value.isIntegralNumber()) {
      return value.doubleValue();
    }
    if (!value.canConvertToLong()) {
      throw Fields.wrong(path, value, "a whole number that fits 64 bits");
    }
    return value.longValue();
  }
}
