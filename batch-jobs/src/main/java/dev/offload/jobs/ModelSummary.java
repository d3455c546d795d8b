package dev.offload.jobs;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.FeedForward;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints what a model is and how many bytes its units have, by kind. */
final class ModelSummary {
  private ModelSummary() {}

  static void print(ModelFolder folder, PrintWriter out) {
    ModelConfig config = folder.config();
    Attention attention = config.layers().getFirst().attention();
    out.printf("%-16s %s%n", "family", config.family());
    out.printf(
        "%-16s %d, hidden size %d, vocabulary %d, context %d%n",
        "layers",
        config.layers().size(),
        config.hiddenSize(),
        config.vocabularySize(),
        config.contextLength());
    out.printf(
        "%-16s %d heads of %d, %d KV heads%n",
        "attention", attention.heads(), attention.headDim(), attention.keyValueHeads());
    config.layers().stream()
        .map(layer -> describe(layer.feedForward()))
        .distinct()
        .forEach(text -> out.printf("%-16s %s%n", "feed-forward", text));
    out.printf(
        "%-16s %s per token and sequence in %s%n",
        "KV cache", ByteSize.format(keyValueBytes(config)), config.storedDType());
    printUnits(folder.units(), out);
    if (config.head().tied()) {
      out.printf("The head's matrix is the embedding's: a checkpoint has it once.%n");
    }
    out.println();
  }

  private static String describe(FeedForward feedForward) {
    return switch (feedForward) {
      case Mlp mlp -> "%d wide".formatted(mlp.width());
      case MixtureOfExperts mixture ->
          "%d experts of %d, %d per token%s"
              .formatted(
                  mixture.experts(),
                  mixture.expert().width(),
                  mixture.expertsPerToken(),
                  mixture.sharedWidth() == 0
                      ? ""
                      : ", one of " + mixture.sharedWidth() + " shared");
    };
  }

  private static long keyValueBytes(ModelConfig config) {
    return config.layers().stream()
        .map(ModelConfig.Layer::attention)
        .mapToLong(
            each ->
                (long) each.keyValueHeads()
                    * (each.headDim() + each.valueDim())
                    * config.storedDType().bytes())
        .sum();
  }

  private static void printUnits(List<WeightUnit> units, PrintWriter out) {
    out.printf("%n%-16s %8s %12s %16s%n", "units", "count", "bytes", "parameters");
    for (UnitId.Kind kind : UnitId.Kind.values()) {
      List<WeightUnit> some = units.stream().filter(unit -> unit.id().kind() == kind).toList();
      if (!some.isEmpty()) {
        printUnits(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '), some, out);
      }
    }
    printUnits("all", units, out);
  }

  private static void printUnits(String name, List<WeightUnit> units, PrintWriter out) {
    long bytes = units.stream().mapToLong(WeightUnit::bytes).sum();
    long parameters =
        units.stream()
            .flatMap(unit -> unit.parameters().stream())
            .mapToLong(each -> each.bytes() / each.dtype().bytes())
            .sum();
    out.printf("%-16s %8d %12s %,16d%n", name, units.size(), ByteSize.format(bytes), parameters);
  }
}
