package dev.offload.engine;

import dev.offload.engine.prefix.PrefixSharing;
import dev.offload.planner.KvGroup;
import dev.offload.planner.Workload;
import dev.offload.tensors.DType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How an engine is opened.
 *
 * @param computeDType format in which matrices are held and multiplied; absent means the
 *     checkpoint's
 * @param deviceMemory budget of device memory in bytes
 * @param hostMemory budget of pinned host memory in bytes
 * @param threads CPU threads that may compute
 * @param seed seed of rows that bring none
 * @param batching how much runs at a time, as far as that is not the planner's to decide
 * @param workload what is known of the requests, which the planner goes by; absent means rows of
 *     usual lengths, any number of them
 * @param kvTokensPerSequence cache slots wanted per sequence, of which one sequence at least gets
 *     them; absent means 2048 on average, and one as long as the context where there is memory
 * @param kvHome where the KV cache lives; if nothing is said, the planner decides
 * @param admission for how long a sequence must have room in the cache to be let in; choices, whose
 *     lengths are known, get all of it at once
 * @param prefixSharing how far to look ahead for rows that begin alike, whose prefix is computed
 *     once
 * @param temporaryFolder for the file in which cache of preempted sequences may wait; absent means
 *     the system's
 * @param overlap all lanes at once; false plays every task alone, for checks
 */
public record EngineOptions(
    Optional<DType> computeDType,
    long deviceMemory,
    long hostMemory,
    int threads,
    long seed,
    Batching batching,
    Optional<Workload> workload,
    OptionalInt kvTokensPerSequence,
    Optional<KvGroup.Home> kvHome,
    AdmissionPolicy admission,
    PrefixSharing prefixSharing,
    Optional<Path> temporaryFolder,
    boolean overlap) {

  /** The same with room for sequences of so many tokens. */
  public EngineOptions withKvTokens(int tokens) {
    return with(workload, OptionalInt.of(tokens), admission, prefixSharing, temporaryFolder);
  }

  /** The same for such requests. */
  public EngineOptions withWorkload(Workload requests) {
    return with(
        Optional.of(requests), kvTokensPerSequence, admission, prefixSharing, temporaryFolder);
  }

  /** The same with another way of letting sequences in. */
  public EngineOptions withAdmission(AdmissionPolicy policy) {
    return with(workload, kvTokensPerSequence, policy, prefixSharing, temporaryFolder);
  }

  /** The same with another way of sharing prefixes. */
  public EngineOptions withPrefixSharing(PrefixSharing sharing) {
    return with(workload, kvTokensPerSequence, admission, sharing, temporaryFolder);
  }

  /** The same with a folder for temporary files. */
  public EngineOptions withTemporaryFolder(Path folder) {
    return with(workload, kvTokensPerSequence, admission, prefixSharing, Optional.of(folder));
  }

  private EngineOptions with(
      Optional<Workload> requests,
      OptionalInt kvTokens,
      AdmissionPolicy policy,
      PrefixSharing sharing,
      Optional<Path> folder) {
    return new EngineOptions(
        computeDType,
        deviceMemory,
        hostMemory,
        threads,
        seed,
        batching,
        requests,
        kvTokens,
        kvHome,
        policy,
        sharing,
        folder,
        overlap);
  }

  /** Budgets as given, everything else as usual. */
  public static EngineOptions of(
      Optional<DType> computeDType, long deviceMemory, long hostMemory, int threads, long seed) {
    return new EngineOptions(
        computeDType,
        deviceMemory,
        hostMemory,
        threads,
        seed,
        Batching.PLANNED,
        Optional.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        AdmissionPolicy.EXPECTED_LENGTH,
        PrefixSharing.USUAL,
        Optional.empty(),
        true);
  }
}
