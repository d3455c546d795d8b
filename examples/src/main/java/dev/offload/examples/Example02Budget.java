package dev.offload.examples;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.AdmissionPolicy;
import dev.offload.engine.Batching;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.RunReport;
import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Lane;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Lesson: a budget of device memory is a promise, and less of it costs time, not quality.
 *
 * <p>The same requests run twice: with room for the whole model, then with three quarters of what
 * that took. The second time the planner leaves weights in host memory, from where every pass
 * streams them: the lane H2D becomes busy. The texts are the same.
 */
public final class Example02Budget {
  private static final long AMPLE = 512L << 20;
  private static final int SEQUENCES = 4;
  private static final int MICRO_BATCH_TOKENS = 16;
  private static final int KV_TOKENS_PER_SEQUENCE = 64;
  private static final List<String> PROMPTS =
      List.of("The kernel provides", "A spreadsheet is", "In the beginning");

  private Example02Budget() {}

  public static void main(String[] args) throws IOException {
    run(Path.of(args.length > 0 ? args[0] : "examples/models/tiny-moe"), System.out);
  }

  static void run(Path folder, PrintStream out) throws IOException {
    try (ModelFolder model = ModelFolder.open(folder);
        Tokenizer tokenizer = Tokenizer.open(folder)) {
      RunReport resident = generate(EngineModel.of(model), tokenizer, AMPLE, out);
      generate(EngineModel.of(model), tokenizer, resident.peakDeviceBytes() * 3 / 4, out);
    }
  }

  private static RunReport generate(
      EngineModel model, Tokenizer tokenizer, long deviceBytes, PrintStream out) {
    int threads = Runtime.getRuntime().availableProcessors();
    Backend cpu = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    try (Device device = cpu.open(new DeviceOptions(0, deviceBytes, AMPLE, threads));
        Engine engine =
            Engine.open(model, Optional.of(tokenizer), device, options(deviceBytes, threads))) {
      Iterator<GenerationRequest> requests = requests(tokenizer).iterator();
      TreeMap<Long, String> texts = new TreeMap<>();
      RunReport report =
          engine.run(
              () -> requests.hasNext() ? Optional.of(requests.next()) : Optional.empty(),
              result -> texts.put(result.index(), result.choices().getFirst().text()),
              progress -> {});
      print(deviceBytes, report, out);
      texts.forEach((index, text) -> out.println("  " + PROMPTS.get(index.intValue()) + text));
      return report;
    }
  }

  private static EngineOptions options(long deviceBytes, int threads) {
    return new EngineOptions(
        Optional.empty(),
        deviceBytes,
        AMPLE,
        threads,
        0,
        Batching.of(SEQUENCES, 1, MICRO_BATCH_TOKENS),
        Optional.empty(),
        OptionalInt.of(KV_TOKENS_PER_SEQUENCE),
        Optional.of(KvGroup.Home.DEVICE),
        AdmissionPolicy.EXPECTED_LENGTH,
        PrefixSharing.USUAL,
        Optional.empty(),
        true);
  }

  private static void print(long deviceBytes, RunReport report, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "device memory: budget %s, peak %s; %.0f tokens/s%n",
        ByteSize.format(deviceBytes),
        ByteSize.format(report.peakDeviceBytes()),
        report.totalTokensPerSecond());
    for (Lane lane : Lane.values()) {
      double share = report.busyShares().getOrDefault(lane, 0.0);
      out.printf(Locale.ROOT, "  %-4s busy %3.0f %%%n", lane, 100 * share);
    }
  }

  private static List<GenerationRequest> requests(Tokenizer tokenizer) {
    return IntStream.range(0, PROMPTS.size())
        .mapToObj(
            i ->
                new GenerationRequest(
                    i, tokenizer.encode(PROMPTS.get(i), true), SamplingParams.greedy(24)))
        .toList();
  }
}

/*
 * How to run, from the root of the checkout with a JDK 25:
 *
 *   ./mvnw -q -Dquick -Dmaven.test.skip=true -pl examples -am package
 *   java --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
 *     -cp 'examples/target/lib/*' dev.offload.examples.Example02Budget
 */
