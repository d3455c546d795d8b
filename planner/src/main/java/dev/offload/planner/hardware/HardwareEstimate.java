package dev.offload.planner.hardware;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Guesses at a machine that was not measured, by the rules for presets that lack figures. */
public final class HardwareEstimate {
  private HardwareEstimate() {}

  /** A profile whose rates are all among its assumptions. */
  public static HardwareProfile of(MachineFacts facts) {
    ObjectNode entry = new JsonMapper().createObjectNode();
    entry.put("name", facts.name());
    entry.put("title", facts.processor());
    entry.putNull("device");
    entry.putNull("link");
    entry.putObject("host").put("cores", facts.cores()).put("memory_bytes", facts.memoryBytes());
    entry.putObject("disk").put("free_bytes", facts.diskFreeBytes());
    ArrayNode sources = entry.putArray("sources");
    for (String field : new String[] {"host.cores", "host.memory_bytes", "disk.free_bytes"}) {
      sources.addObject().put("field", field).put("source", "the operating system").put("note", "");
    }
    return new PresetReader(entry, MissingNode.getInstance()).read().profile();
  }
}
