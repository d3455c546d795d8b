package dev.offload.jobs.plan;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.offload.jobs.rows.CheckedFields;
import dev.offload.jobs.rows.RowException;
import dev.offload.planner.flexgen.FlexGenInstance;

/** An instance of FlexGen's program as a line of JSON writes it. */
final class FlexGenRow {
  // Wide bounds around machines that exist. Within them the program's solutions were compared with
  // those of exact arithmetic; with rates of a byte per second no solver in double precision is
  // right.
  private static final double MOST_TOKENS = 1e6;

  private static final double MOST_LAYERS = 1e4;
  private static final double MOST_WIDTH = 1e6;
  private static final double MOST_BYTES = 1e16;
  private static final double LEAST_BANDWIDTH = 1e6;
  private static final double MOST_BANDWIDTH = 1e14;
  private static final double LEAST_FLOPS = 1e8;
  private static final double MOST_FLOPS = 1e17;
  private static final double MOST_SHARE = 10;
  private static final double MOST_CORRECTION = 100;
  private static final int MOST_SEQUENCES = 1_000_000;

  private FlexGenRow() {}

  /**
   * Reads the fields {@code config}, {@code alpha}, {@code gpu_batch_size}, {@code num_gpu_batches}
   * and {@code compress_weight}; others are not looked at.
   *
   * @throws RowException naming the field that is missing or out of range
   */
  static FlexGenInstance read(ObjectNode row) throws RowException {
    CheckedFields fields = CheckedFields.of(row);
    FlexGenInstance.Config config = config(fields.object("config"));
    double[] alpha = fields.numbers("alpha", 3, 0, MOST_SHARE);
    return new FlexGenInstance(
        config,
        new FlexGenInstance.Alpha(alpha[0], alpha[1], alpha[2]),
        fields.whole("gpu_batch_size", 1, MOST_SEQUENCES),
        fields.whole("num_gpu_batches", 1, MOST_SEQUENCES),
        fields.flag("compress_weight"));
  }

  private static FlexGenInstance.Config config(CheckedFields config) throws RowException {
    return new FlexGenInstance.Config(
        config.number("s", 1, MOST_TOKENS),
        config.number("n", 1, MOST_TOKENS),
        config.number("l", 1, MOST_LAYERS),
        config.number("h1", 1, MOST_WIDTH),
        config.number("h2", 1, MOST_WIDTH),
        config.number("nh", 1, MOST_WIDTH),
        config.number("gmem", 0, MOST_BYTES),
        config.number("cmem", 0, MOST_BYTES),
        config.number("nmem", 0, MOST_BYTES),
        bandwidth(config, "ctog_bdw"),
        bandwidth(config, "gtoc_bdw_cache"),
        bandwidth(config, "gtoc_bdw_hidden"),
        bandwidth(config, "dtoc_bdw"),
        bandwidth(config, "ctod_bdw_cache_p"),
        bandwidth(config, "ctod_bdw_hidden_p"),
        bandwidth(config, "ctod_bdw_g"),
        flops(config, "mm_flops_p"),
        flops(config, "mm_flops_g"),
        flops(config, "bmm_flops_p"),
        flops(config, "bmm_flops_g"),
        flops(config, "cpu_flops"),
        config.number("c1", -MOST_CORRECTION, MOST_CORRECTION),
        config.number("c2", -MOST_CORRECTION, MOST_CORRECTION),
        config.number("c3", -MOST_CORRECTION, MOST_CORRECTION));
  }

  private static double bandwidth(CheckedFields config, String name) throws RowException {
    return config.number(name, LEAST_BANDWIDTH, MOST_BANDWIDTH);
  }

  private static double flops(CheckedFields config, String name) throws RowException {
    return config.number(name, LEAST_FLOPS, MOST_FLOPS);
  }
}
