package dev.offload.planner.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.tensors.ModelException;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutingStatisticsTest {
  private static final int EXPERTS = 8;
  private static final int PER_TOKEN = 2;

  @TempDir private Path folder;

  private static ModelConfig mixtral() throws IOException {
    return ModelFolder.describe(Path.of("../examples/shapes/mixtral-8x7b")).config();
  }

  /** Tokens that choose with likelihoods that are more different the larger {@code skew} is. */
  private static RoutingStatistics random(Random random, int layers, double skew) {
    List<RoutingStatistics.Layer> counted = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      List<Long> counts = new ArrayList<>(Collections.nCopies(EXPERTS, 0L));
      for (int token = 0; token < 1000; token++) {
        IntStream.generate(() -> (int) (EXPERTS * Math.pow(random.nextDouble(), 1 + skew)))
            .distinct()
            .limit(PER_TOKEN)
            .forEach(expert -> counts.set(expert, counts.get(expert) + 1));
      }
      counted.add(new RoutingStatistics.Layer(layer, PER_TOKEN, counts));
    }
    return new RoutingStatistics(counted);
  }

  private static RoutingStatistics equal(int layers) {
    return new RoutingStatistics(
        IntStream.range(0, layers)
            .mapToObj(
                layer ->
                    new RoutingStatistics.Layer(
                        layer, PER_TOKEN, Collections.nCopies(EXPERTS, 1000L)))
            .toList());
  }

  private static List<UnitId> experts(int layers) {
    return IntStream.range(0, layers * EXPERTS)
        .mapToObj(i -> UnitId.expert(i / EXPERTS, i % EXPERTS))
        .toList();
  }

  @Test
  void shouldReadWhatItWrote() throws IOException {
    Path file = folder.resolve("routing.json");
    for (int round = 0; round < 10; round++) {
      RoutingStatistics written = random(new Random(round), 32, round / 4.0);
      written.write(file);
      assertEquals(written, RoutingStatistics.read(file));
      written.requireMatches(file, mixtral());
    }
  }

  @Test
  void shouldBeBinomialIfAllAreChosenAsOften() {
    for (double tokens : new double[] {0.5, 1, 7, 100, 5000}) {
      ExpertRows counted = new ExpertRows(tokens, equal(3).shares(experts(3)));
      ExpertRows binomial = new ExpertRows(tokens, PER_TOKEN, EXPERTS);
      assertEquals(binomial.mean(), counted.mean(), 1e-9 * binomial.mean());
      for (int together : new int[] {1, 3, 8}) {
        assertEquals(binomial.used(together), counted.used(together), 1e-12);
        double share = 1 - Math.pow(1 - (double) PER_TOKEN / EXPERTS, tokens * together);
        assertEquals(share, counted.used(together), 1e-12);
      }
      assertEquals(binomial.used(1), equal(3).usedShare(tokens), 1e-12);
      double squares = binomial.expected(rows -> rows * rows);
      assertEquals(squares, counted.expected(rows -> rows * rows), 1e-9 * squares);
    }
  }

  /** The more tokens prefer the same experts, the fewer different ones they choose. */
  @Test
  void shouldUseFewerExpertsTheMoreUnequallyTheyAreChosen() {
    for (int tokens : new int[] {2, 5, 20, 60}) {
      double before = equal(4).usedShare(tokens);
      for (double skew : new double[] {0.7, 2, 5}) {
        RoutingStatistics counted = random(new Random(3), 4, skew);
        ExpertRows rows = new ExpertRows(tokens, counted.shares(experts(4)));
        assertEquals(rows.used(1), counted.usedShare(tokens), 1e-9);
        assertTrue(rows.used(1) < before, tokens + " tokens, skew " + skew);
        double ofShares = 0;
        for (RoutingStatistics.Layer layer : counted.layers()) {
          for (long count : layer.tokensPerExpert()) {
            ofShares += 1 - Math.pow(1 - count / 1000.0, tokens);
          }
        }
        assertEquals(ofShares / (4 * EXPERTS), rows.used(1), 1e-9);
        assertEquals((double) tokens * PER_TOKEN / EXPERTS, rows.mean(), 1e-9 * tokens);
        assertEquals(rows.mean(), rows.expected(r -> r), 1e-3 * tokens);
        before = rows.used(1);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "offload-routing-1 | offload-routing-2 | format is \"offload-routing-2\"",
        "\"experts\":8 | \"experts\":9 | layers[0].experts is 9; it must be the length",
        "\"tokens\":4000 | \"tokens\":4001 | layers[0].tokens is 4001; it must be the sum",
        "[1000, | [-1, | layers[0].tokens_per_expert",
        "[1000, | [1000.5, | layers[0].tokens_per_expert is ",
        "[1000, | [1001, | layer 0: tokens_per_expert adds up to 8001",
        "[1000,1000, | [9000,1000, | layer 0: tokens_per_expert has 9000",
        "\"experts_per_token\":2 | \"experts_per_token\":0 | layers[0].experts_per_token is 0",
        "\"layer\":0, | | layers[0].layer is missing",
      })
  void shouldRefuseWhatIsNoStatistics(String good, String bad, String expected) throws IOException {
    Path file = folder.resolve("broken.json");
    equal(1).write(file);
    String json = Files.readString(file);
    assertTrue(json.contains(good.strip()), () -> good + " in " + json);
    String with = bad == null ? "" : bad.strip();
    Files.writeString(file, json.replace(good.strip(), with));
    String message =
        assertThrows(ModelException.class, () -> RoutingStatistics.read(file)).getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertTrue(message.contains(expected.strip()), message);
  }

  @Test
  void shouldRefuseAnotherModel() throws IOException {
    assertRefused(equal(31), "layers is without layer 31, but the model has that layer");
    assertRefused(equal(33), "layers is with layer 32, but the model has no experts there");
    List<RoutingStatistics.Layer> layers = new ArrayList<>(equal(32).layers());
    layers.set(3, new RoutingStatistics.Layer(3, 1, Collections.nCopies(EXPERTS, 1L)));
    assertRefused(
        new RoutingStatistics(layers),
        "layers[3].experts_per_token is 1, but the model has 2 of them");
    layers.set(3, new RoutingStatistics.Layer(3, 2, Collections.nCopies(4, 1L)));
    assertRefused(
        new RoutingStatistics(layers), "layers[3].experts is 4, but the model has 8 of them");
    layers.set(3, layers.get(2));
    assertRefused(new RoutingStatistics(layers), "layers[3].layer is 2");
  }

  private static void assertRefused(RoutingStatistics routing, String expected) throws IOException {
    ModelConfig model = mixtral();
    String message =
        assertThrows(
                ModelException.class, () -> routing.requireMatches(Path.of("routing.json"), model))
            .getMessage();
    assertTrue(message.startsWith("routing.json: " + expected), message);
  }
}
