package dev.offload.examples;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.generation.GenerationRequest;
import dev.offload.generation.SamplingParams;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.stream.IntStream;

/**
 * Lesson: from a folder with a model to answers.
 *
 * <p>A model, its tokenizer and a device are opened, and an engine upon them. The engine takes
 * requests from a source whenever it has room and gives results to a sink as they finish: not in
 * the order in which they came, so a request carries a number that comes back with its result.
 */
public final class Example01Generate {
  private static final long DEVICE_BYTES = 512L << 20;
  private static final long HOST_BYTES = 256L << 20;
  private static final List<String> PROMPTS =
      List.of("The kernel provides", "A spreadsheet is", "In the beginning");

  private Example01Generate() {}

  public static void main(String[] args) throws IOException {
    run(Path.of(args.length > 0 ? args[0] : "examples/models/tiny-moe"), System.out);
  }

  static void run(Path folder, PrintStream out) throws IOException {
    int threads = Runtime.getRuntime().availableProcessors();
    Backend cpu = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    EngineOptions options =
        EngineOptions.of(Optional.empty(), DEVICE_BYTES, HOST_BYTES, threads, 0);
    try (ModelFolder model = ModelFolder.open(folder);
        Tokenizer tokenizer = Tokenizer.open(folder);
        Device device = cpu.open(new DeviceOptions(0, DEVICE_BYTES, HOST_BYTES, threads));
        Engine engine =
            Engine.open(EngineModel.of(model), Optional.of(tokenizer), device, options)) {
      Iterator<GenerationRequest> requests = requests(tokenizer).iterator();
      engine.run(
          () -> requests.hasNext() ? Optional.of(requests.next()) : Optional.empty(),
          result ->
              out.println(
                  PROMPTS.get((int) result.index()) + " ..." + result.choices().getFirst().text()),
          progress -> {});
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
 *     -cp 'examples/target/lib/*' dev.offload.examples.Example01Generate
 */
