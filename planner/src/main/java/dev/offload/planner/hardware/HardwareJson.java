package dev.offload.planner.hardware;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.planner.hardware.HardwareProfile.Assumption;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.CopyRate.Piece;
import dev.offload.planner.hardware.HardwareProfile.Disk;
import dev.offload.planner.hardware.HardwareProfile.Link;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.planner.hardware.Processor.Product;
import dev.offload.tensors.DType;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.json.JsonFields;
import dev.offload.tensors.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Profiles as JSON: every field is there, unknown ones are refused. docs/hardware.md lists them.
 */
public final class HardwareJson {
  /** Version of the form. */
  public static final String SCHEMA = "offload-hardware-1";

  private static final long MAX_BYTES = 16 << 20;
  private static final String REMEDY = "measure again with offload profile --save";
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Deeper objects, such as measured products, take one line each. */
  private static final int INDENTED_LEVELS = 3;

  /** Wider than any machine, so that typing errors in exponents are refused. */
  private static final double MOST = 1e21;

  private static final double LEAST = 1e-3;
  private static final double LONGEST_SECONDS = 1e6;
  private static final double SHORTEST_SECONDS = 1e-12;
  private static final long MOST_BYTES = 1L << 60;
  private static final int MOST_CORES = 1 << 20;

  private HardwareJson() {}

  /**
   * Reads a profile.
   *
   * @throws ModelException naming file, field and value of what is wrong
   */
  public static HardwareProfile read(Path file) throws IOException {
    JsonFields root = StrictJson.readObject(file, MAX_BYTES, REMEDY);
    if (!root.requiredText("schema").equals(SCHEMA)) {
      throw root.refuse("schema", "must be " + SCHEMA + "; " + REMEDY);
    }
    JsonFields device = root.requiredObject("device");
    JsonFields host = root.requiredObject("host");
    HardwareProfile profile =
        new HardwareProfile(
            root.requiredText("name"),
            root.requiredText("title"),
            processor(device),
            device.count("memory_bytes", 1, MOST_BYTES),
            link(root.requiredObject("link")),
            processor(host),
            host.count("memory_bytes", 1, MOST_BYTES),
            sharing(root.requiredObject("sharing")),
            disk(root.requiredObject("disk")),
            assumptions(root));
    device.refuseUnasked();
    host.refuseUnasked();
    root.refuseUnasked();
    return profile;
  }

  private static Processor processor(JsonFields fields) {
    return new Processor(
        rate(fields, "memory_bytes_per_s"),
        rate(fields, "row_bytes_per_s"),
        rate(fields, "pack_bytes_per_s"),
        seconds(fields, "launch_s"),
        peaks(fields.requiredObject("peak_flops")),
        products(fields),
        rate(fields, "attention_bytes_per_s"),
        rate(fields, "attention_flops"));
  }

  private static Map<DType, Double> peaks(JsonFields fields) {
    Map<DType, Double> peaks = new EnumMap<>(DType.class);
    for (DType dtype : DType.values()) {
      if (fields.has(dtype.name())) {
        peaks.put(dtype, rate(fields, dtype.name()));
      }
    }
    fields.refuseUnasked();
    return peaks;
  }

  private static List<Product> products(JsonFields processor) {
    List<Product> products = new ArrayList<>();
    for (JsonFields fields : processor.requiredObjects("products")) {
      products.add(
          new Product(
              dtype(fields),
              fields.integer("outputs", 1, Integer.MAX_VALUE),
              fields.integer("inputs", 1, Integer.MAX_VALUE),
              fields.integer("rows", 1, Integer.MAX_VALUE),
              fields.number("s", SHORTEST_SECONDS, LONGEST_SECONDS),
              fields.number("again_s", SHORTEST_SECONDS, LONGEST_SECONDS)));
      fields.refuseUnasked();
    }
    return products;
  }

  private static DType dtype(JsonFields fields) {
    String name = fields.requiredText("dtype");
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(name)) {
        return dtype;
      }
    }
    throw fields.refuse("dtype", "must be one of " + List.of(DType.values()));
  }

  private static Link link(JsonFields fields) {
    Link link =
        new Link(
            copyRate(fields.requiredObject("to_device")),
            copyRate(fields.requiredObject("to_host")),
            rate(fields, "both_bytes_per_s"));
    fields.refuseUnasked();
    return link;
  }

  private static CopyRate copyRate(JsonFields fields) {
    List<Piece> pieces = new ArrayList<>();
    for (JsonFields piece : fields.requiredObjects("pieces")) {
      long least = pieces.isEmpty() ? 1 : pieces.getLast().bytes() + 1;
      pieces.add(
          new Piece(
              piece.count("bytes", least, MOST_BYTES),
              piece.number("s", SHORTEST_SECONDS, LONGEST_SECONDS),
              piece.number("cores", 0, MOST_CORES),
              piece.number("kept", 0, 1)));
      piece.refuseUnasked();
    }
    CopyRate rate = new CopyRate(rate(fields, "bytes_per_s"), seconds(fields, "latency_s"), pieces);
    fields.refuseUnasked();
    return rate;
  }

  private static Sharing sharing(JsonFields fields) {
    double all = rate(fields, "host_memory_bytes_per_s");
    int cores = fields.integer("cores", 1, MOST_CORES);
    Sharing sharing =
        new Sharing(
            all,
            fields.number("core_bytes_per_s", LEAST, all),
            cores,
            fields.number("copy_cores", 0, cores),
            seconds(fields, "hand_over_s"),
            fields.flag("device_is_host"));
    fields.refuseUnasked();
    return sharing;
  }

  private static Disk disk(JsonFields fields) {
    double all = rate(fields, "read_bytes_per_s");
    Disk disk =
        new Disk(
            fields.count("free_bytes", 0, MOST_BYTES),
            all,
            fields.number("lone_read_bytes_per_s", LEAST, all),
            fields.number("busy_read_bytes_per_s", LEAST, all),
            fields.number("read_cores", 0, MOST_CORES),
            rate(fields, "write_bytes_per_s"));
    fields.refuseUnasked();
    return disk;
  }

  private static List<Assumption> assumptions(JsonFields root) {
    List<Assumption> assumptions = new ArrayList<>();
    for (JsonFields fields : root.requiredObjects("assumptions")) {
      assumptions.add(
          new Assumption(
              fields.requiredText("field"),
              fields.requiredText("value"),
              fields.requiredText("reason")));
      fields.refuseUnasked();
    }
    return assumptions;
  }

  private static double rate(JsonFields fields, String name) {
    return fields.number(name, LEAST, MOST);
  }

  private static double seconds(JsonFields fields, String name) {
    return fields.number(name, 0, LONGEST_SECONDS);
  }

  /** The JSON form of a profile. */
  public static ObjectNode toJson(HardwareProfile profile) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("schema", SCHEMA).put("name", profile.name()).put("title", profile.title());
    root.set("device", toJson(profile.device(), profile.deviceMemoryBytes()));
    ObjectNode link = root.putObject("link");
    link.set("to_device", toJson(profile.link().toDevice()));
    link.set("to_host", toJson(profile.link().toHost()));
    link.put("both_bytes_per_s", profile.link().bothBytesPerSecond());
    root.set("host", toJson(profile.host(), profile.hostMemoryBytes()));
    root.putObject("sharing")
        .put("host_memory_bytes_per_s", profile.sharing().hostMemoryBytesPerSecond())
        .put("core_bytes_per_s", profile.sharing().coreBytesPerSecond())
        .put("cores", profile.sharing().cores())
        .put("copy_cores", profile.sharing().copyCores())
        .put("hand_over_s", profile.sharing().handOverSeconds())
        .put("device_is_host", profile.sharing().deviceIsHost());
    root.putObject("disk")
        .put("free_bytes", profile.disk().freeBytes())
        .put("read_bytes_per_s", profile.disk().readBytesPerSecond())
        .put("lone_read_bytes_per_s", profile.disk().loneReadBytesPerSecond())
        .put("busy_read_bytes_per_s", profile.disk().busyReadBytesPerSecond())
        .put("read_cores", profile.disk().readCores())
        .put("write_bytes_per_s", profile.disk().writeBytesPerSecond());
    ArrayNode assumptions = root.putArray("assumptions");
    for (Assumption each : profile.assumptions()) {
      assumptions
          .addObject()
          .put("field", each.field())
          .put("value", each.value())
          .put("reason", each.reason());
    }
    return root;
  }

  private static ObjectNode toJson(Processor processor, long memoryBytes) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("memory_bytes", memoryBytes)
            .put("memory_bytes_per_s", processor.memoryBytesPerSecond())
            .put("row_bytes_per_s", processor.rowBytesPerSecond())
            .put("pack_bytes_per_s", processor.packBytesPerSecond())
            .put("launch_s", processor.launchSeconds());
    ObjectNode peaks = node.putObject("peak_flops");
    new EnumMap<>(processor.peakFlops()).forEach((dtype, rate) -> peaks.put(dtype.name(), rate));
    ArrayNode products = node.putArray("products");
    for (Product each : processor.products()) {
      products
          .addObject()
          .put("dtype", each.dtype().name())
          .put("outputs", each.outputs())
          .put("inputs", each.inputs())
          .put("rows", each.rows())
          .put("s", each.seconds())
          .put("again_s", each.againSeconds());
    }
    return node.put("attention_bytes_per_s", processor.attentionBytesPerSecond())
        .put("attention_flops", processor.attentionFlops());
  }

  private static ObjectNode toJson(CopyRate rate) {
    ObjectNode node =
        MAPPER
            .createObjectNode()
            .put("bytes_per_s", rate.bytesPerSecond())
            .put("latency_s", rate.latencySeconds());
    ArrayNode pieces = node.putArray("pieces");
    for (Piece each : rate.pieces()) {
      pieces
          .addObject()
          .put("bytes", each.bytes())
          .put("s", each.seconds())
          .put("cores", each.cores())
          .put("kept", each.kept());
    }
    return node;
  }

  /** Writes a profile; the file holds the old one or the new one, never half of one. */
  public static void write(HardwareProfile profile, Path file) throws IOException {
    Path absolute = file.toAbsolutePath();
    Files.createDirectories(absolute.getParent());
    Path unfinished = Files.createTempFile(absolute.getParent(), "profile", ".tmp");
    try {
      Files.writeString(unfinished, text(toJson(profile)));
      Files.move(unfinished, absolute, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /** JSON with lines for people. */
  public static String text(ObjectNode json) throws IOException {
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
    printer.indentObjectsWith(new UpperLevels());
    printer.indentArraysWith(new UpperLevels());
    return MAPPER.writer(printer).writeValueAsString(json) + "\n";
  }

  /** Begins lines down to some depth only. */
  private static final class UpperLevels implements DefaultPrettyPrinter.Indenter {
    @Override
    public void writeIndentation(JsonGenerator generator, int level) throws IOException {
      generator.writeRaw(level > INDENTED_LEVELS ? " " : "\n" + "  ".repeat(level));
    }

    @Override
    public boolean isInline() {
      return false;
    }
  }
}
