package dev.offload.jobs;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.planner.hardware.HardwareJson;
import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.planner.hardware.Quantity;
import dev.offload.planner.profile.Figure;
import dev.offload.planner.profile.Profiling;
import dev.offload.planner.profile.Together;
import dev.offload.tensors.ByteSize;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A measured machine, for people or as JSON. */
final class ProfileReport {
  private final Profiling measured;
  private final HardwareProfile profile;

  ProfileReport(Profiling measured) {
    this.measured = measured;
    this.profile = measured.profile();
  }

  /** A screen or two of figures. */
  void print(PrintWriter out) {
    out.printf("%s: %s%n", profile.name(), profile.title());
    out.printf(
        Locale.ROOT,
        "device memory %s, host memory %s, room on the disk %s; measured in %.0f s%n",
        ByteSize.format(profile.deviceMemoryBytes()),
        ByteSize.format(profile.hostMemoryBytes()),
        ByteSize.format(profile.disk().freeBytes()),
        measured.seconds());
    printRates(out);
    printTaken(out);
    printTogether(out);
    for (Assumption each : profile.assumptions()) {
      out.printf("assumed: %s is %s (%s)%n", each.field(), each.value(), each.reason());
    }
  }

  /** What was measured of each thing alone. */
  void printRates(PrintWriter out) {
    printProducts("matrix products of the device", profile.device(), out);
    if (!profile.sharing().deviceIsHost()) {
      printProducts("matrix products of the host", profile.host(), out);
    }
    printFigures(out);
  }

  /** A line per weight, a column per number of rows. */
  private static void printProducts(String title, Processor processor, PrintWriter out) {
    Map<String, Map<Integer, Product>> lines = new LinkedHashMap<>();
    Map<Integer, String> columns = new TreeMap<>();
    for (Product each : processor.products()) {
      String weight = "%s %dx%d".formatted(each.dtype(), each.outputs(), each.inputs());
      lines.computeIfAbsent(weight, _ -> new TreeMap<>()).put(each.rows(), each);
      columns.put(each.rows(), "%8d".formatted(each.rows()));
    }
    out.printf("%n%s, GFLOP/s by rows%n", title);
    out.printf("  %-18s%s%n", "", String.join("", columns.values()));
    lines.forEach(
        (weight, products) -> {
          StringBuilder line = new StringBuilder("  %-18s".formatted(weight));
          for (int rows : columns.keySet()) {
            Product each = products.get(rows);
            line.append("%8s".formatted(each == null ? "" : Quantity.digits(gigaflops(each))));
          }
          out.println(line);
        });
  }

  private static double gigaflops(Product product) {
    return 2.0 * product.rows() * product.outputs() * product.inputs() / product.seconds() / 1e9;
  }

  private void printFigures(PrintWriter out) {
    String group = "";
    for (Figure each : measured.figures()) {
      if (!each.group().equals(group)) {
        group = each.group();
        out.printf("%n%s%n", group);
      }
      out.printf("  %-34s %s%n", each.what(), each.quantity().format(each.value()));
    }
  }

  private void printTaken(PrintWriter out) {
    out.printf("%nas the planner takes them%n");
    out.printf(
        "  %-34s %s + bytes at %s%n",
        "a copy to the device takes",
        Quantity.SECONDS.format(profile.link().toDevice().latencySeconds()),
        Quantity.BYTES_PER_SECOND.format(profile.link().toDevice().bytesPerSecond()));
    out.printf(
        "  %-34s %s + bytes at %s%n",
        "a copy to the host takes",
        Quantity.SECONDS.format(profile.link().toHost().latencySeconds()),
        Quantity.BYTES_PER_SECOND.format(profile.link().toHost().bytesPerSecond()));
    out.printf(
        "  %-34s %s%n",
        "host memory, all lanes together",
        Quantity.BYTES_PER_SECOND.format(profile.sharing().hostMemoryBytesPerSecond()));
    out.printf(
        "  %-34s %s%n",
        "disk, as passes read",
        Quantity.BYTES_PER_SECOND.format(profile.disk().readBytesPerSecond()));
  }

  private void printTogether(PrintWriter out) {
    Sharing sharing = profile.sharing();
    out.printf(
        "%ntwo lanes at a time: ms alone, together, and as cores and host memory explain it%n");
    for (Together each : measured.together()) {
      out.printf(
          Locale.ROOT,
          "  %-48s %6.0f %6.0f %6.0f  %+.0f %%%n",
          each.one() + " and " + each.other(),
          each.aloneSeconds() * 1e3,
          each.seconds() * 1e3,
          each.modelSeconds(sharing) * 1e3,
          each.residual(sharing) * 100);
    }
  }

  /** The profile, and what it was made from. */
  ObjectNode toJson() {
    ObjectNode root = new JsonMapper().createObjectNode();
    root.set("profile", HardwareJson.toJson(profile));
    ArrayNode figures = root.putArray("figures");
    for (Figure each : measured.figures()) {
      figures
          .addObject()
          .put("group", each.group())
          .put("what", each.what())
          .put("value", each.value())
          .put("unit", each.quantity().name().toLowerCase(Locale.ROOT));
    }
    ArrayNode together = root.putArray("together");
    for (Together each : measured.together()) {
      together
          .addObject()
          .put("one", each.one())
          .put("other", each.other())
          .put("alone_s", each.aloneSeconds())
          .put("together_s", each.seconds())
          .put("model_s", each.modelSeconds(profile.sharing()))
          .put("residual", each.residual(profile.sharing()));
    }
    return root.put("measuring_s", measured.seconds());
  }
}
