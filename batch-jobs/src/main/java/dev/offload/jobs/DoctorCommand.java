package dev.offload.jobs;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.DeviceDescription;
import dev.offload.backends.conformance.ConformanceCheck;
import dev.offload.backends.conformance.ConformanceSuite;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code offload doctor}: finds out whether devices do what they should. */
@Command(
    name = "doctor",
    description = {
      "Says what drivers and devices there are, measures them, and checks that every operation gives"
          + " right results on them. Takes some minutes for each device."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  offload doctor                                  every device that can be used",
      "  offload doctor --backend opencl",
      "  offload doctor --device opencl:1 --checks Attention",
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every check passed",
      "1:a check failed, or the backend cannot be used",
      "2:wrong usage"
    })
final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = {
        "Only the devices of cpu, opencl or another backend, which must be usable.",
        "Default: all that are usable here."
      })
  private String backend;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "Only this device, such as opencl:0.")
  private String device;

  @Option(
      names = "--checks",
      paramLabel = "TEXT",
      defaultValue = "",
      description =
          "Only checks whose topic or name contains that, such as Matmul, and nothing measured.")
  private String wanted;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "2",
      description = "CPU threads that compute. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(names = Messages.VERBOSE, description = "Show where a failure comes from.")
  private boolean verbose;

  private final Supplier<DeviceFinder> backends;

  DoctorCommand() {
    this(DeviceFinder::here);
  }

  DoctorCommand(Supplier<DeviceFinder> backends) {
    this.backends = backends;
  }

  @Override
  public Integer call() throws RefusedException, IOException, InterruptedException {
    check();
    PrintWriter out = spec.commandLine().getOut();
    DeviceFinder finder = backends.get();
    List<Backend> asked = asked(finder);
    asked.forEach(each -> DevicesCommand.print(each, out));
    boolean well = true;
    int examined = 0;
    for (Backend each : asked) {
      for (DeviceDescription found : each.devices()) {
        FoundDevice target = new FoundDevice(each, found);
        if (device == null || target.equals(finder.find(device))) {
          Examination examination = new Examination(target, threads, verbose, out);
          well &= examination.run(wanted);
          examined++;
        }
      }
    }
    return well && examined > 0 ? ExitCode.OK : ExitCode.FAILED;
  }

  private void check() throws RefusedException {
    if (threads < 1) {
      throw new RefusedException("--threads is " + threads + ", must be at least 1");
    }
    if (backend != null && device != null) {
      throw new RefusedException("--backend and --device do not go together; give one");
    }
    List<ConformanceCheck> checks =
        ConformanceSuite.of(
            options -> {
              throw new IllegalStateException("only listed");
            });
    if (checks.stream().noneMatch(each -> each.toString().contains(wanted))) {
      throw new RefusedException(
          "--checks %s: no check has that; topics are %s"
              .formatted(wanted, checks.stream().map(ConformanceCheck::topic).distinct().toList()));
    }
  }

  private List<Backend> asked(DeviceFinder finder) throws RefusedException {
    Optional<String> only =
        device != null
            ? Optional.of(finder.find(device).backend().name())
            : Optional.ofNullable(backend);
    return only.isPresent() ? List.of(finder.backend(only.get())) : finder.backends();
  }
}
