package dev.offload.jobs;

import dev.offload.backends.api.MemoryBudgetException;
import dev.offload.engine.Engine;
import dev.offload.engine.EngineModel;
import dev.offload.engine.EngineOptions;
import dev.offload.engine.Progress;
import dev.offload.generation.ChoiceSink;
import dev.offload.generation.ChoiceSource;
import dev.offload.generation.RequestSource;
import dev.offload.generation.ResultSink;
import dev.offload.jobs.report.ReportMaker;
import dev.offload.jobs.rows.PromptEncoder;
import dev.offload.planner.Plan;
import dev.offload.planner.Workload;
import dev.offload.tensors.ModelException;
import dev.offload.tensors.model.ModelConfig;
import dev.offload.tensors.weights.ModelFolder;
import dev.offload.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** The engine with a model from a folder. Opened, run and closed by one thread. */
final class EngineGenerator implements Generator, Chooser {
  private final Closing resources;
  private final Engine engine;
  private final PromptEncoder prompts;
  private final Supplier<ReportMaker.EngineFacts> facts;
  private final MachineOptions machine;

  /** The rows of a job that is to be planned. */
  interface Rows {
    /**
     * What is known of them.
     *
     * @param prompts cuts prompts into tokens
     * @return empty if nothing is
     */
    Optional<Workload> workload(PromptEncoder prompts) throws IOException;
  }

  private EngineGenerator(
      Closing resources,
      Engine engine,
      PromptEncoder prompts,
      Supplier<ReportMaker.EngineFacts> facts,
      MachineOptions machine) {
    this.resources = resources;
    this.engine = engine;
    this.prompts = prompts;
    this.facts = facts;
    this.machine = machine;
  }

  /**
   * Opens everything a model needs.
   *
   * @param kvTokens room in the cache for a row of so many tokens; absent: as memory allows
   * @param rows what is known of the requests
   * @throws RefusedException if the model is damaged or not supported, or does not fit the budgets
   */
  static EngineGenerator open(
      Path folder, MachineOptions machine, long seed, OptionalInt kvTokens, Rows rows)
      throws RefusedException {
    Closing resources = new Closing();
    try {
      ModelFolder model = resources.add(ModelFolder.open(folder));
      machine.checkRouting(model.config());
      Tokenizer tokenizer = resources.add(Tokenizer.open(folder));
      OpenedDevices devices = resources.add(OpenedDevices.open(machine));
      EngineOptions usual = machine.toEngine(seed);
      EngineOptions sized = kvTokens.isPresent() ? usual.withKvTokens(kvTokens.getAsInt()) : usual;
      ModelConfig config = model.config();
      EngineOptions options =
          rows.workload(new ModelPrompts(folder, tokenizer, config, config.contextLength()))
              .map(sized::withWorkload)
              .orElse(sized);
      EngineModel cached = EngineModel.of(model);
      Plan plan = PlanChoice.of(cached, devices.device(), options, machine);
      EngineModel weights = PassReads.best(cached, model, cached.unitsOnDisk(plan), machine);
      Engine engine =
          resources.add(
              Engine.open(
                  machine.mapsWeights() ? weights.mapped() : weights,
                  Optional.of(tokenizer),
                  devices.device(),
                  devices.host(),
                  options,
                  plan));
      resources.add(machine.trace(engine));
      PromptEncoder prompts =
          new ModelPrompts(folder, tokenizer, config, engine.maxSequenceTokens());
      return new EngineGenerator(
          resources,
          engine,
          prompts,
          () -> EngineReport.facts(engine, devices.device(), options),
          machine);
    } catch (ModelException | MemoryBudgetException | IllegalArgumentException | IOException e) {
      resources.closeAfter(e);
      throw new RefusedException(Messages.plain(e), e);
    } catch (RefusedException | RuntimeException | Error e) {
      resources.closeAfter(e);
      throw e;
    }
  }

  @Override
  public PromptEncoder prompts() {
    return prompts;
  }

  /** What a report tells of the engine and the machine, peaks so far included. */
  ReportMaker.EngineFacts facts() {
    return facts.get();
  }

  /** Writes how often experts were chosen, if that is wanted; returns false if none was chosen. */
  boolean saveRouting() throws IOException {
    return machine.saveRouting(engine);
  }

  @Override
  public void run(RequestSource source, ResultSink sink, Progress.Listener listener) {
    engine.run(source, sink, listener);
  }

  @Override
  public void choose(ChoiceSource source, ChoiceSink sink, Progress.Listener listener) {
    engine.choose(source, sink, listener);
  }

  @Override
  public void close() {
    resources.close();
  }
}
