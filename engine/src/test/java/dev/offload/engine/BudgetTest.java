package dev.offload.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import dev.offload.generation.GenerationRequest;
import dev.offload.tensors.ByteSize;
import dev.offload.tensors.DType;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.RandomSource;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Memory budgets hold, down to the smallest ones that are accepted, and the answers stay. */
class BudgetTest {
  private static final Path MODELS = Path.of("../examples/models");
  private static final Path SHAPES = Path.of("../examples/shapes");
  private static final long PLENTY = 1L << 30;
  private static final int THREADS = 2;

  /** Tokens of the longest request. */
  private static final int LONGEST_ROW = 16;

  @ParameterizedTest
  @CsvSource({"tiny-moe, F32", "tiny-moe, BF16", "tiny-dense, F32", "tiny-relu, BF16"})
  void shouldStayWithinTheSmallestBudgets(String name, DType dtype) throws IOException {
    Path model = MODELS.resolve(name);
    long device = least(budget -> isAccepted(model, dtype, budget, PLENTY));
    long host = least(budget -> isAccepted(model, dtype, device, budget));
    long file = Files.size(model.resolve("model.safetensors"));
    assertTrue(dtype == DType.F32 || host < file, host + " of a model of " + file);

    List<GenerationRequest> requests = requests();
    TestRun roomy = run(model, dtype, PLENTY, PLENTY, requests);
    assertEquals(0, roomy.report().diskBytes());
    long half = (device + roomy.report().peakDeviceBytes()) / 2;
    check(roomy, run(model, dtype, half, PLENTY, requests), half, PLENTY, dtype);
    TestRun tight = run(model, dtype, device, host, requests);
    check(roomy, tight, device, host, dtype);
    assertTrue(tight.report().diskBytes() > 0, "weights are read from disk");
  }

  /** Prompts that fill micro-batches and more, of uneven lengths, many and few at a time. */
  @ParameterizedTest
  @CsvSource({"tiny-moe, BF16, 40, 70", "tiny-moe, F32, 3, 200", "tiny-dense, BF16, 70, 30"})
  void shouldCountWhatOperationsWorkIn(String name, DType dtype, int rows, int longest)
      throws IOException {
    Path model = MODELS.resolve(name);
    long device = least(budget -> isAccepted(model, dtype, budget, PLENTY)) * 2;
    Random random = new Random(rows);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int length = 1 + random.nextInt(longest);
      List<Integer> prompt = random.ints(length, 0, 8000).boxed().toList();
      requests.add(TestRun.greedy(i, prompt, 2));
    }
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), device, PLENTY, THREADS, 0).withKvTokens(longest + 2);
    TestRun run = TestRun.of(model, Optional.empty(), options, requests);
    assertEquals(rows, run.results().size());
    assertTrue(run.report().peakDeviceBytes() <= device, run.report().toString());
  }

  @ParameterizedTest
  @CsvSource({"dense-360m, 90", "moe-880m, 64"})
  void shouldNeedLessDeviceMemoryThanTheOutputMatrixTakes(String name, long outputMib)
      throws IOException {
    try (ModelFolder folder = ModelFolder.fromConfig(SHAPES.resolve(name))) {
      EngineModel model = EngineModel.random(folder, new RandomSource(0, 1, 1));
      assertEquals(outputMib << 20, folder.unit(UnitId.output(0)).bytes());
      long least = least(budget -> refusal(model, DType.BF16, budget, PLENTY << 2).isEmpty());
      assertTrue(least < outputMib << 20, least + " bytes");
      String refusal = refusal(model, DType.BF16, 1 << 20, PLENTY << 2).orElseThrow();
      Matcher lacking = Pattern.compile("too small, (.+) more is needed").matcher(refusal);
      assertTrue(lacking.find(), refusal);
      long named = (1 << 20) + ByteSize.parse(lacking.group(1));
      assertTrue(Math.abs(named - least) <= 1 << 14, refusal + ", but the least is " + least);
    }
  }

  private static void check(TestRun roomy, TestRun run, long device, long host, DType dtype) {
    RunReport report = run.report();
    assertTrue(report.peakDeviceBytes() <= device, report + " on a device of " + device);
    assertTrue(report.peakHostBytes() <= host, report + " with host memory of " + host);
    // Passes of other sizes round differently.
    float bound = dtype == DType.F32 ? 1e-3f : 0.5f;
    roomy
        .logits()
        .forEach(
            (row, logits) -> assertArrayEquals(logits.getFirst(), run.firstLogits(row), bound));
  }

  private static List<GenerationRequest> requests() {
    Random random = new Random(1);
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      List<Integer> prompt = random.ints(1 + 3 * i, 0, 8000).boxed().toList();
      requests.add(TestRun.greedy(i, prompt, 3));
    }
    return requests;
  }

  private static TestRun run(
      Path model, DType dtype, long device, long host, List<GenerationRequest> requests)
      throws IOException {
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), device, host, THREADS, 0).withKvTokens(LONGEST_ROW);
    return TestRun.of(model, Optional.empty(), options, requests);
  }

  /** The smallest accepted budget up to 64 bytes. */
  private static long least(LongPredicate isAccepted) {
    long refused = 0;
    long accepted = PLENTY;
    while (accepted - refused > 64) {
      long middle = (accepted + refused) / 2;
      if (isAccepted.test(middle)) {
        accepted = middle;
      } else {
        refused = middle;
      }
    }
    return accepted;
  }

  private static boolean isAccepted(Path model, DType dtype, long deviceBytes, long hostBytes) {
    try (ModelFolder folder = ModelFolder.open(model)) {
      return refusal(EngineModel.of(folder), dtype, deviceBytes, hostBytes).isEmpty();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Why the budgets are refused; empty if they are not. */
  private static Optional<String> refusal(
      EngineModel model, DType dtype, long deviceBytes, long hostBytes) {
    Backend backend = ServiceLoader.load(Backend.class).findFirst().orElseThrow();
    EngineOptions options =
        EngineOptions.of(Optional.of(dtype), deviceBytes, hostBytes, THREADS, 0)
            .withKvTokens(LONGEST_ROW);
    try (Device device = backend.open(new DeviceOptions(0, PLENTY, PLENTY, THREADS))) {
      EnginePlanner.plan(model, device, options);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      assertTrue(e.getMessage().contains("memory of"), e.getMessage());
      return Optional.of(e.getMessage());
    }
  }
}
