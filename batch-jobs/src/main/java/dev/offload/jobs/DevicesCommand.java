package dev.offload.jobs;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.backends.api.Backend;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.tensors.ByteSize;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload devices}: says what could compute here. */
@Command(
    name = "devices",
    description = "Lists what could compute here, and why a backend cannot be used.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload devices",
      "  offload generate --device opencl:0 …      computes on one of them"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:listed", "1:the program failed", "2:wrong usage"})
final class DevicesCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  void verbose(boolean given) {
    // Read by Messages from the parsed command line.
  }

  private final Supplier<DeviceFinder> backends;

  DevicesCommand() {
    this(DeviceFinder::here);
  }

  DevicesCommand(Supplier<DeviceFinder> backends) {
    this.backends = backends;
  }

  @Override
  public Integer call() throws RefusedException {
    PrintWriter out = spec.commandLine().getOut();
    DeviceFinder finder = backends.get();
    if (json) {
      out.println(toJson(finder));
    } else {
      finder.backends().forEach(backend -> print(backend, out));
      out.printf("%n--device auto is %s%n", finder.find(DeviceFinder.AUTO).label());
    }
    return ExitCode.OK;
  }

  /** A line for each device of a backend, or why there is none. */
  static void print(Backend backend, PrintWriter out) {
    Optional<String> reason = backend.unusableReason();
    if (reason.isPresent()) {
      out.printf("%-10s not usable: %s%n", backend.name(), reason.get());
      return;
    }
    for (DeviceDescription device : backend.devices()) {
      out.printf(
          Locale.ROOT,
          "%-10s %s: %s, %s, %d compute units, %s%n",
          FoundDevice.label(backend, device.index()),
          device.name(),
          kind(device).replace('_', ' '),
          ByteSize.format(device.memoryBytes()),
          device.computeUnits(),
          device.details());
    }
  }

  private static String kind(DeviceDescription device) {
    return device.kind().name().toLowerCase(Locale.ROOT);
  }

  private static ObjectNode toJson(DeviceFinder finder) throws RefusedException {
    ObjectNode root = new JsonMapper().createObjectNode();
    ArrayNode all = root.putArray("backends");
    for (Backend backend : finder.backends()) {
      Optional<String> reason = backend.unusableReason();
      ObjectNode each =
          all.addObject()
              .put("name", backend.name())
              .put("usable", reason.isEmpty())
              .put("reason", reason.orElse(null));
      addDevices(backend, each.putArray("devices"));
    }
    return root.put("auto", finder.find(DeviceFinder.AUTO).label());
  }

  private static void addDevices(Backend backend, ArrayNode to) {
    List<DeviceDescription> devices =
        backend.unusableReason().isPresent() ? List.of() : backend.devices();
    for (DeviceDescription device : devices) {
      to.addObject()
          .put("device", FoundDevice.label(backend, device.index()))
          .put("name", device.name())
          .put("kind", kind(device))
          .put("memory_bytes", device.memoryBytes())
          .put("compute_units", device.computeUnits())
          .put("details", device.details());
    }
  }
}
