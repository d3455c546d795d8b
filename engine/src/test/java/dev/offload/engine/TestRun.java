package dev.offload.engine;

import dev.offload.generation.GenerationRequest;
import dev.offload.generation.GenerationResult;
import dev.offload.generation.GenerationResult.Choice;
import dev.offload.generation.SamplingParams;
import dev.offload.generation.TokenIds;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Plan;
import dev.offload.tensors.DType;
import dev.offload.tensors.Tier;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.tensors.weights.UnitId;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What an engine, opened for nothing else, gave for some requests.
 *
 * @param results by index of the request
 * @param logits by index of the request: a row per token; of the first output only
 */
record TestRun(
    RunReport report, Map<Long, GenerationResult> results, Map<Long, List<float[]>> logits) {
  private static final int THREADS = 2;
  private static final long PLENTY = 1L << 30;

  /** On the processor, with ample memory, no tokenizer. */
  static TestRun of(Path model, DType dtype, List<GenerationRequest> requests) throws IOException {
    return on(TestDevices.CPU, model, dtype, requests);
  }

  /** On a backend of {@link TestDevices}, with ample memory, no tokenizer. */
  static TestRun on(String backend, Path model, DType dtype, List<GenerationRequest> requests)
      throws IOException {
    return on(
        backend,
        model,
        Optional.empty(),
        EngineOptions.of(Optional.of(dtype), PLENTY, PLENTY, THREADS, 0),
        requests);
  }

  /** The same, where the processor attends to the cache and computes the experts. */
  static TestRun withProcessor(
      String backend, Path model, DType dtype, List<GenerationRequest> requests)
      throws IOException {
    EngineOptions options = EngineOptions.of(Optional.of(dtype), PLENTY, PLENTY, THREADS, 0);
    try (ModelFolder folder = ModelFolder.open(model);
        TestDevices devices = TestDevices.openWithProcessor(backend, PLENTY, PLENTY, THREADS);
        Engine engine = openWithHost(EngineModel.of(folder), devices, options)) {
      return run(engine, requests);
    }
  }

  private static Engine openWithHost(
      EngineModel model, TestDevices devices, EngineOptions options) {
    Plan plan = Engine.plan(model, devices.device(), options);
    Map<UnitId, Tier> placement = new HashMap<>(plan.placement());
    Set<UnitId> experts =
        placement.keySet().stream()
            .filter(unit -> unit.kind() == UnitId.Kind.EXPERT)
            .collect(Collectors.toSet());
    experts.forEach(expert -> placement.put(expert, Tier.HOST));
    List<KvGroup> groups =
        plan.kvGroups().stream()
            .map(
                group -> new KvGroup(KvGroup.Home.HOST_ATTENDED, group.blocks(), group.sequences()))
            .toList();
    Plan hosted =
        new Plan(
            plan.computeDType(),
            placement,
            groups,
            0,
            plan.microBatchTokens(),
            0,
            0,
            0,
            0,
            plan.granuleBytes(),
            experts);
    return Engine.open(model, Optional.empty(), devices.device(), devices.host(), options, hosted);
  }

  static TestRun of(
      Path model,
      Optional<Tokenizer> tokenizer,
      EngineOptions options,
      List<GenerationRequest> requests)
      throws IOException {
    return on(TestDevices.CPU, model, tokenizer, options, requests);
  }

  private static TestRun on(
      String backend,
      Path model,
      Optional<Tokenizer> tokenizer,
      EngineOptions options,
      List<GenerationRequest> requests)
      throws IOException {
    try (ModelFolder folder = ModelFolder.open(model);
        TestDevices devices =
            TestDevices.open(
                backend, options.deviceMemory(), options.hostMemory(), options.threads());
        Engine engine = open(EngineModel.of(folder), tokenizer, devices, options)) {
      return run(engine, requests);
    }
  }

  private static TestRun run(Engine engine, List<GenerationRequest> requests) {
    Map<Long, GenerationResult> results = new HashMap<>();
    Map<Long, List<float[]>> logits = new HashMap<>();
    Iterator<GenerationRequest> source = requests.iterator();
    RunReport report =
        engine.run(
            () -> source.hasNext() ? Optional.of(source.next()) : Optional.empty(),
            result -> results.put(result.index(), result),
            _ -> {},
            (request, generated, row) -> {
              List<float[]> rows = logits.computeIfAbsent(request.index(), _ -> new ArrayList<>());
              if (generated == rows.size()) {
                rows.add(row.toArray(ValueLayout.JAVA_FLOAT));
              }
            });
    return new TestRun(report, results, logits);
  }

  private static Engine open(
      EngineModel model,
      Optional<Tokenizer> tokenizer,
      TestDevices devices,
      EngineOptions options) {
    Plan plan = Engine.plan(model, devices.device(), options);
    return Engine.open(model, tokenizer, devices.device(), devices.host(), options, plan);
  }

  /** The first output of a request. */
  Choice choice(long index) {
    return results.get(index).choices().getFirst();
  }

  List<Integer> tokens(long index) {
    return choice(index).tokens().stream().boxed().toList();
  }

  /** Logits behind the prompt of a request. */
  float[] firstLogits(long index) {
    return logits.get(index).getFirst();
  }

  /** Greedy, of exactly that many tokens. */
  static GenerationRequest greedy(long index, List<Integer> prompt, int tokens) {
    SamplingParams g = SamplingParams.greedy(tokens);
    return new GenerationRequest(
        index,
        TokenIds.of(prompt),
        new SamplingParams(
            g.temperature(),
            g.topP(),
            g.topK(),
            g.minP(),
            g.repetitionPenalty(),
            g.presencePenalty(),
            g.frequencyPenalty(),
            g.logitBias(),
            g.seed(),
            tokens,
            0,
            true,
            List.of(),
            List.of(),
            1,
            -1));
  }
}
