package dev.offload.jobs;

import dev.offload.tensors.ByteSize;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.model.ModelConfig.Attention;
import dev.offload.tensors.model.ModelConfig.FeedForward;
import dev.offload.tensors.model.ModelConfig.MixtureOfExperts;
import dev.offload.tensors.model.ModelConfig.Mlp;
import dev.offload.tensors.weights.ModelShape;
import dev.offload.tensors.weights.ModelSize;
import dev.offload.tensors.weights.UnitId;
import dev.offload.tensors.weights.WeightUnit;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** Prints what a model is and how many bytes its units have, by kind. */
final class ModelSummary {
  private ModelSummary() {}

  static void print(ModelShape shape, PrintWriter out) {
    ModelConfig config = shape.config();
    out.printf("%-16s %s%n", "family", config.family());
    out.printf(
        "%-16s %d, hidden size %d, vocabulary %d, context %d%n",
        "layers",
        config.layers().size(),
        config.hiddenSize(),
        config.vocabularySize(),
        config.contextLength());
    out.printf("%-16s %s%n", "attention", describe(config.layers().getFirst().attention()));
    config.layers().stream()
        .map(layer -> describe(layer.feedForward()))
        .distinct()
        .forEach(text -> out.printf("%-16s %s%n", "feed-forward", text));
    printSize(shape, out);
    printUnits(shape, out);
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

  private static String describe(Attention attention) {
    return attention
        .latent()
        .map(
            latent ->
                "%d heads of %d + %d rotated, all read one latent of %d"
                    .formatted(
                        attention.heads(), latent.plainDim(), latent.rotatedDim(), latent.rank()))
        .orElseGet(
            () ->
                "%d heads of %d, %d KV heads"
                    .formatted(attention.heads(), attention.headDim(), attention.keyValueHeads()));
  }

  private static void printSize(ModelShape shape, PrintWriter out) {
    ModelSize size = shape.size();
    out.printf("%-16s %,d%n", "parameters", size.parameters());
    if (size.activeParameters() < size.parameters()) {
      out.printf(
          "%-16s %,d per token, %,d of them in tables of which it reads a row%n",
          "active", size.activeParameters(), size.lookedUpParameters());
    }
    out.printf(
        "%-16s %,d bytes (%s)%s%n",
        "stored",
        size.storedBytes(),
        ByteSize.format(size.storedBytes()),
        shape.packing().map(packing -> ", packed as " + packing.format().method()).orElse(""));
    out.printf(
        "%-16s %,d bytes per token and sequence in %s%s%n",
        "KV cache",
        size.cachedBytesPerToken(),
        shape.config().storedDType(),
        size.growingBytesPerToken() < size.cachedBytesPerToken()
            ? ", %,d beyond the window".formatted(size.growingBytesPerToken())
            : "");
  }

  private static void printUnits(ModelShape shape, PrintWriter out) {
    out.printf("%n%-16s %8s %12s %16s%n", "units", "count", "bytes", "parameters");
    for (UnitId.Kind kind : UnitId.Kind.values()) {
      List<WeightUnit> some =
          shape.units().stream().filter(unit -> unit.id().kind() == kind).toList();
      if (!some.isEmpty()) {
        printUnits(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '), shape, some, out);
      }
    }
    printUnits("all", shape, shape.units(), out);
  }

  private static void printUnits(
      String name, ModelShape shape, List<WeightUnit> units, PrintWriter out) {
    long bytes = units.stream().mapToLong(shape::storedBytes).sum();
    long parameters = units.stream().mapToLong(WeightUnit::elements).sum();
    out.printf("%-16s %8d %12s %,16d%n", name, units.size(), ByteSize.format(bytes), parameters);
  }
}
