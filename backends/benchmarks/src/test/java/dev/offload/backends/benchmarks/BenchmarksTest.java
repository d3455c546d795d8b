package dev.offload.backends.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs, through JMH, on the smallest sizes. Nothing is measured. */
final class BenchmarksTest {
  private static final Set<String> BENCHMARKS =
      Set.of(
          "ActivationBenchmark.activate",
          "AttentionBenchmark.attend",
          "CopyBenchmark.toDevice",
          "CopyBenchmark.toHost",
          "MatmulBenchmark.multiply",
          "NormBenchmark.addNorm",
          "NormBenchmark.norm",
          "PackBenchmark.pack",
          "ReadBenchmark.read");

  @Test
  void shouldRunEachBenchmark() throws RunnerException {
    Options options =
        new OptionsBuilder()
            .include(DeviceBenchmark.class.getPackageName() + "\\..*")
            .forks(0)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(1))
            .verbosity(VerboseMode.SILENT)
            .shouldFailOnError(true)
            .param("threads", "2")
            .param("mebibytes", "1")
            .param("kibibytes", "64")
            .param("shape", "70x33")
            .param("weights", "BF16")
            .param("rows", "3")
            .param("columns", "33")
            .param("width", "33")
            .param("activation", "SILU")
            .param("work", "2x3@20", "2x3@40/32")
            .param("layers", "2")
            .build();

    Collection<RunResult> results = new Runner(options).run();

    Set<String> names = new TreeSet<>();
    for (RunResult result : results) {
      String name = result.getParams().getBenchmark();
      names.add(name.substring(DeviceBenchmark.class.getPackageName().length() + 1));
      assertTrue(
          result.getSecondaryResults().containsKey("gigabytes"), () -> name + " counts no bytes");
      result
          .getSecondaryResults()
          .forEach(
              (counter, rate) ->
                  assertTrue(rate.getScore() > 0, () -> name + " counts no " + counter));
    }
    assertEquals(new TreeSet<>(BENCHMARKS), names);
  }
}
