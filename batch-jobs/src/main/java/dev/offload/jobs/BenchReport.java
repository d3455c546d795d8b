package dev.offload.jobs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.engine.RunReport;
import dev.offload.planner.Lane;
import dev.offload.tensors.ByteSize;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/**
 * What a measurement found.
 *
 * @param device name of the device
 * @param loadNanos time in which memory was allocated and weights were brought to their homes
 * @param run what the engine did
 * @param boundTokensPerSecond what the device's measured ceilings allow for the load
 * @param usualBoundTokensPerSecond what they allow at the median of the measurements
 * @param copiedBytesPerSecond of pinned memory to the device with nothing else going on
 * @param disk the disk, if weights were read from there
 * @param comparison with what was forecast, if that was wanted
 */
record BenchReport(
    String device,
    BenchLoad load,
    long loadNanos,
    RunReport run,
    double boundTokensPerSecond,
    double usualBoundTokensPerSecond,
    double copiedBytesPerSecond,
    Optional<DiskRate> disk,
    Optional<Comparison> comparison) {

  /** One object; scripts rely on its field names. */
  String toJson() {
    JsonMapper mapper = new JsonMapper();
    ObjectNode json = mapper.createObjectNode();
    json.put("device", device);
    json.put("prompt_tokens", load.promptTokens());
    json.put("shared_prefix_tokens", load.sharedTokens());
    json.put("generated_tokens", load.generatedTokens());
    json.put("max_tokens", load.maxTokens());
    json.put("requests", load.requests());
    json.put("prefill_tokens_per_s", run.prefillTokensPerSecond());
    json.put("decode_tokens_per_s", run.decodeTokensPerSecond());
    json.put("total_tokens_per_s", run.totalTokensPerSecond());
    json.put("requests_per_s", requestsPerSecond());
    json.put("bound_tokens_per_s", boundTokensPerSecond);
    json.put("usual_bound_tokens_per_s", usualBoundTokensPerSecond);
    json.put("streaming_bound_tokens_per_s", streamingBoundTokensPerSecond());
    ObjectNode lanes = json.putObject("lanes");
    run.busyShares()
        .forEach((lane, share) -> lanes.put(lane.name().toLowerCase(Locale.ROOT), share));
    json.put("peak_device_bytes", run.peakDeviceBytes());
    json.put("peak_host_bytes", run.peakHostBytes());
    json.put("computed_prompt_tokens", run.promptTokens());
    json.put("peak_kv_blocks", run.flight().peakKvBlocks());
    json.put("streamed_bytes", run.streamedBytes());
    if (run.streamedBytes() > 0) {
      json.put("streamed_busy_bytes_per_s", streamedBytesPerBusySecond());
    }
    json.put("copy_ceiling_bytes_per_s", copiedBytesPerSecond);
    json.put("disk_bytes", run.diskBytes());
    disk.ifPresent(
        rate -> {
          json.put("disk_bytes_per_s", diskBytesPerSecond());
          json.put("disk_busy_bytes_per_s", diskBytesPerBusySecond());
          json.put("disk_ceiling_bytes_per_s", rate.ceilingBytesPerSecond());
          json.put("disk_dropped_from_memory", rate.stillCached().isEmpty());
        });
    json.put("sequences_in_flight", run.flight().meanSequences());
    json.put("most_sequences_in_flight", run.flight().mostSequences());
    json.put("preemptions", run.flight().preemptions());
    json.put("recomputed_tokens", run.flight().recomputedTokens());
    json.put("swapped_bytes", run.flight().swappedBytes());
    json.put("disk_swapped_bytes", run.flight().diskSwappedBytes());
    json.put("passes", run.passes());
    json.put("wall_seconds", run.wallNanos() / 1e9);
    json.put("load_seconds", loadNanos / 1e9);
    comparison.ifPresent(forecast -> forecast.addTo(json));
    try {
      return mapper.writeValueAsString(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an object of numbers cannot fail to be written", e);
    }
  }

  /** What the ceilings allow if the weights that were copied and read have to be. */
  private double streamingBoundTokensPerSecond() {
    double tokens = (double) run.promptTokens() + run.generatedTokens();
    double seconds =
        Math.max(tokens / boundTokensPerSecond, run.streamedBytes() / copiedBytesPerSecond);
    double reading = disk.map(rate -> run.diskBytes() / rate.ceilingBytesPerSecond()).orElse(0.0);
    return tokens / Math.max(seconds, reading);
  }

  /** Over the time in which something was being copied to the device. */
  private double streamedBytesPerBusySecond() {
    return run.streamedBytes()
        * 1e9
        / run.wallNanos()
        / run.busyShares().getOrDefault(Lane.H2D, 1.0);
  }

  private double requestsPerSecond() {
    return run.rows() * 1e9 / run.wallNanos();
  }

  /** Over the whole time. */
  private double diskBytesPerSecond() {
    return run.diskBytes() * 1e9 / run.wallNanos();
  }

  /** Over the time in which something was being read. */
  private double diskBytesPerBusySecond() {
    return diskBytesPerSecond() / run.busyShares().getOrDefault(Lane.DISK, 1.0);
  }

  /** The same for people. */
  void print(PrintWriter out) {
    out.printf("device       %s%n", device);
    out.printf(
        "load         %d requests of %d + %d tokens%s%n",
        load.requests(),
        load.promptTokens(),
        load.generatedTokens(),
        load.isUneven() ? " on average, %d at most".formatted(load.maxTokens()) : "");
    if (load.sharedTokens() > 0) {
      out.printf(
          "shared       %d tokens at the beginning; %,d prompt tokens computed, %,d not%n",
          load.sharedTokens(), run.promptTokens(), run.sharedPromptTokens());
    }
    out.printf("loading      %.1f s%n", loadNanos / 1e9);
    out.printf("requests     %,.1f/s%n", requestsPerSecond());
    out.printf("prefill      %,.0f tokens/s%n", run.prefillTokensPerSecond());
    out.printf("decode       %,.0f tokens/s%n", run.decodeTokensPerSecond());
    out.printf(
        "total        %,.0f tokens/s, %.0f %% of the bound of %,.0f, %.0f %% of the %,.0f at the median of the measured rates%n",
        run.totalTokensPerSecond(),
        100 * run.totalTokensPerSecond() / boundTokensPerSecond,
        boundTokensPerSecond,
        100 * run.totalTokensPerSecond() / usualBoundTokensPerSecond,
        usualBoundTokensPerSecond);
    if (run.streamedBytes() > 0) {
      double bound = streamingBoundTokensPerSecond();
      out.printf(
          "streamed     %s of weights to the device, %,.1f GB/s while copying; alone it takes %,.1f. The bound with that is %,.0f tokens/s: %.0f %%%n",
          ByteSize.format(run.streamedBytes()),
          streamedBytesPerBusySecond() / 1e9,
          copiedBytesPerSecond / 1e9,
          bound,
          100 * run.totalTokensPerSecond() / bound);
    }
    out.printf(
        "in flight    %.1f sequences, %d at most; %d preempted, %,d tokens computed again, %s swapped to host memory and back, %s to disk%n",
        run.flight().meanSequences(),
        run.flight().mostSequences(),
        run.flight().preemptions(),
        run.flight().recomputedTokens(),
        ByteSize.format(run.flight().swappedBytes()),
        ByteSize.format(run.flight().diskSwappedBytes()));
    run.busyShares()
        .forEach(
            (lane, share) ->
                out.printf(
                    "lane %-7s %.0f %% busy%n", lane.name().toLowerCase(Locale.ROOT), 100 * share));
    out.printf(
        "peak memory  device %s, host %s%n",
        ByteSize.format(run.peakDeviceBytes()), ByteSize.format(run.peakHostBytes()));
    disk.ifPresent(rate -> printDisk(out, rate));
    comparison.ifPresent(forecast -> forecast.print(out));
  }

  private void printDisk(PrintWriter out, DiskRate rate) {
    out.printf(
        "disk         %s read, %,.0f MB/s over all, %,.0f while reading; alone it gives %,.0f%n",
        ByteSize.format(run.diskBytes()),
        diskBytesPerSecond() / 1e6,
        diskBytesPerBusySecond() / 1e6,
        rate.ceilingBytesPerSecond() / 1e6);
    rate.stillCached()
        .ifPresent(
            reason ->
                out.printf("disk         files could not be dropped from memory: %s%n", reason));
  }
}
