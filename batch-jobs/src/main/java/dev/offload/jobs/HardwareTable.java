package dev.offload.jobs;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.Preset;
import dev.offload.planner.hardware.Preset.Source;
import dev.offload.planner.hardware.Presets;
import dev.offload.planner.hardware.Quantity;
import dev.offload.tensors.DType;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;

/** The machines that come with the program, as a table or as JSON. */
final class HardwareTable {
  private static final double GIB = 1L << 30;
  private static final String ROW = "%-13s %10s %11s %9s %9s %9s %10s %8s  %s%n";

  private final Presets presets;

  HardwareTable(Presets presets) {
    this.presets = presets;
  }

  /** A line per machine. */
  void print(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        ROW,
        "name",
        "device GiB",
        "memory GB/s",
        "TFLOP/s",
        "link GB/s",
        "host GiB",
        "disk GB/s",
        "assumed",
        "what it is");
    for (Preset each : presets.all()) {
      print(each.profile(), out);
    }
    out.println();
    out.println("TFLOP/s of matrix products in 16 bits; link from host to device; disk reads.");
    out.println("assumed: figures that nobody stated; --json says which and why, and who stated");
    out.println("the others. On machines without a card the device is half of the host's memory.");
  }

  private static void print(HardwareProfile profile, PrintWriter out) {
    double flops =
        Math.max(
            profile.device().peakFlops().getOrDefault(DType.F16, 0.0),
            profile.device().peakFlops().getOrDefault(DType.BF16, 0.0));
    out.printf(
        Locale.ROOT,
        ROW,
        profile.name(),
        Quantity.digits(profile.deviceMemoryBytes() / GIB),
        Quantity.digits(profile.device().memoryBytesPerSecond() / 1e9),
        Quantity.digits(flops / 1e12),
        Quantity.digits(profile.link().toDevice().bytesPerSecond() / 1e9),
        Quantity.digits(profile.hostMemoryBytes() / GIB),
        Quantity.digits(profile.disk().readBytesPerSecond() / 1e9),
        profile.assumptions().size(),
        profile.title());
  }

  /** Every profile, and where its figures come from that were not assumed. */
  void printJson(PrintWriter out) throws IOException {
    ObjectNode root = new JsonMapper().createObjectNode();
    ArrayNode list = root.putArray("presets");
    for (Preset each : presets.all()) {
      ObjectNode preset = list.addObject();
      preset.set("profile", HardwareJson.toJson(each.profile()));
      ArrayNode sources = preset.putArray("sources");
      for (Source source : each.sources()) {
        sources
            .addObject()
            .put("field", source.field())
            .put("value", source.value())
            .put("source", source.source())
            .put("note", source.note());
      }
    }
    out.print(HardwareJson.text(root));
    out.flush();
  }
}
