package dev.offload.backends.kernels;

import dev.offload.backends.api.AttentionSpec;
import dev.offload.backends.api.DeviceBuffer;
import dev.offload.backends.api.KvBlocks;
import dev.offload.backends.api.Matrix;
import dev.offload.backends.api.RaggedBatch;
import dev.offload.backends.api.RaggedBatch.SharedPrefix;
import dev.offload.backends.api.Stream;
import java.util.Optional;

/**
 * Launches attention.cl, and attention_mma.cl where the device and the cache are such. Which rows
 * share a work-group changes nothing in their results.
 */
final class AttentionLauncher {

  /**
   * How the work of a group is divided, see attention.cl.
   *
   * @param items work-items of a group
   * @param itemVectors query vectors that a work-item computes at a time
   * @param itemOctets times eight tokens or columns beside them
   * @param chunkTokens tokens whose values a work-item adds up before it goes to other columns
   * @param mergeOctets times eight columns that it merges at a time
   * @param stripes work-items that share the scores of a query vector
   * @param tileVectors most query vectors of a group
   * @param localBytes most local memory of a group
   */
  private record Division(
      int items,
      int itemVectors,
      int itemOctets,
      int chunkTokens,
      int mergeOctets,
      int stripes,
      int tileVectors,
      int localBytes) {

    /** With more sums of eight than six times two, some would leave the sixteen registers. */
    private static final int MOST_VECTORS = 6;

    /**
     * One work-item, which reads in the order of memory: what is asked for early then comes as
     * evenly as it is computed with.
     */
    private static final Division OF_PROCESSOR = new Division(1, 3, 2, 32, 4, 1, 48, 256 << 10);

    /**
     * Neighbours read side by side. Every device has so much local memory, and more would leave no
     * room for a second group beside the first.
     */
    static final Division OF_MANY_LANES = new Division(64, 4, 1, SPAN_TOKENS, 1, 8, 32, 48 << 10);

    /**
     * For the query vectors that share a key, in equal parts; for few of them as for three, because
     * prompts have many.
     */
    static Division ofProcessor(int group) {
      return OF_PROCESSOR.vectors(
          Math.max(3, Math.ceilDiv(group, Math.ceilDiv(group, MOST_VECTORS))));
    }

    private Division vectors(int vectors) {
      return new Division(
          items, vectors, itemOctets, chunkTokens, mergeOctets, stripes, tileVectors, localBytes);
    }

    /** The same for numbers that are gathered one by one: unrolled that would be much code. */
    Division oneOctet() {
      return new Division(
          items, itemVectors, 1, chunkTokens, mergeOctets, stripes, tileVectors, localBytes);
    }

    /** The same where the values of all tokens are added up at once. */
    Division oneChunk() {
      return new Division(
          items,
          itemVectors,
          itemOctets,
          SPAN_TOKENS,
          mergeOctets,
          stripes,
          tileVectors,
          localBytes);
    }
  }

  /** Positions of one partial result: enough work for a group, and few partials to add up. */
  private static final int SPAN_TOKENS = 256;

  /** Most spans of a work-group that computes all of a tile. */
  private static final int MERGED_SPANS = 16;

  /** Work-groups for each compute unit, so that none is without work for long. */
  private static final int GROUPS_PER_UNIT = 16;

  private static final int PLAN_ITEMS = 64;
  private static final int TILE_INTS = 5;

  private final KernelLauncher launcher;

  AttentionLauncher(KernelLauncher launcher) {
    this.launcher = launcher;
  }

  void attend(
      Stream stream,
      Matrix queries,
      KvBlocks cache,
      RaggedBatch batch,
      AttentionSpec spec,
      Matrix out) {
    if (batch.tokens() > 0) {
      new Call(stream, queries, cache, batch, spec, out).run();
    }
  }

  /** One attention: its sizes and the parts of its scratch. */
  private final class Call {
    private final Stream stream;
    private final Matrix queries;
    private final KvBlocks cache;
    private final RaggedBatch batch;
    private final AttentionSpec spec;
    private final Matrix out;
    private final KvBlocks.Format format;
    private final DeviceBuffer scratch;
    private final int group;
    private final int runTokens;
    private final boolean octets;
    private final Division division;
    private final int parts;
    private final Optional<TensorCoreTile> tensorCores;
    private final int tileVectors;
    private final int tiles;
    private final int spans;
    private final long tilesAt;
    private final long prefixTilesAt;
    private final long partialsAt;
    private final int rowsPerRound;
    private final boolean merges;

    Call(
        Stream stream,
        Matrix queries,
        KvBlocks cache,
        RaggedBatch batch,
        AttentionSpec spec,
        Matrix out) {
      this.stream = stream;
      this.queries = queries;
      this.cache = cache;
      this.batch = batch;
      this.spec = spec;
      this.out = out;
      format = cache.format();
      scratch = launcher.scratch(stream);
      group = spec.heads() / format.heads();
      runTokens = runTokens();
      octets = hasOctets();
      division = division();
      parts = parts();
      tensorCores = tensorCores();
      tileVectors = tensorCores.map(TensorCoreTile::vectors).orElseGet(this::tileVectors);
      tiles = tiles();
      spans = Math.ceilDiv(batch.longestContext(), SPAN_TOKENS);
      tilesAt = roundUp(4L * batch.sequences());
      prefixTilesAt = roundUp(tilesAt + 4 + 4L * TILE_INTS * tiles);
      partialsAt = roundUp(prefixTilesAt + 4 + 4L * TILE_INTS * tiles);
      rowsPerRound = rowsPerRound();
      merges = merges();
    }

    private static long roundUp(long bytes) {
      return (bytes + 63) / 64 * 64;
    }

    /** Tokens that lie in one block, wherever a span begins: a power of two. */
    private int runTokens() {
      return Math.min(Integer.lowestOneBit(format.blockTokens()), SPAN_TOKENS);
    }

    /** Whether eight tokens, and eight columns of a value, are always there together. */
    private boolean hasOctets() {
      return runTokens >= 8 && format.valueDim() % 8 == 0;
    }

    private Division division() {
      Division ofDevice =
          launcher.limits().itemsTakeTurns() ? Division.ofProcessor(group) : Division.OF_MANY_LANES;
      if (!octets) {
        return ofDevice.oneOctet();
      }
      return format.valuesInKeys() ? ofDevice.oneChunk() : ofDevice;
    }

    /** Columns of values that a work-item computes at a time. */
    private int itemColumns() {
      return octets && format.valuesInKeys() ? division.itemOctets : 8 * division.itemOctets;
    }

    private int columnItems() {
      return Math.ceilDiv(format.valueDim(), itemColumns());
    }

    /** Work-items that would have no columns sum up a part of the tokens. */
    private int parts() {
      return Math.clamp(Integer.highestOneBit(division.items / columnItems()), 1, 8);
    }

    /** Depends on the cache and not on the rows, so that a row's bits do not. */
    private Optional<TensorCoreTile> tensorCores() {
      if (!launcher.hasTensorCores() || !octets) {
        return Optional.empty();
      }
      int vectors = batch.tokens() == batch.sequences() ? group : Integer.MAX_VALUE;
      return TensorCoreTile.of(
          format, vectors, SPAN_TOKENS / runTokens, launcher.limits().localBytes());
    }

    private int tileVectors() {
      int local = Math.min(division.localBytes, launcher.limits().localBytes());
      long most = (local / 4 - groupFloats()) / vectorFloats();
      if (most < 1) {
        throw new IllegalArgumentException(
            "keys of %d and values of %d numbers need more than the %d bytes of local memory"
                .formatted(format.headDim(), format.valueDim(), local));
      }
      boolean alone = batch.tokens() == batch.sequences() && batch.prefixes().isEmpty();
      int wanted = alone ? group : division.tileVectors;
      return (int) Math.clamp(wanted, 1, Math.min(most, division.tileVectors));
    }

    /**
     * At most so many: a sequence has no more than one for each of its rows, or one that is not
     * full.
     */
    private int tiles() {
      return Math.toIntExact(
          Math.min(
              (long) batch.tokens() * Math.ceilDiv(group, tileVectors),
              (long) batch.tokens() * group / tileVectors + batch.sequences()));
    }

    private long vectorFloats() {
      return format.headDim() + SPAN_TOKENS + division.stripes + 2L;
    }

    private long groupFloats() {
      long partFloats = (long) columnItems() * itemColumns();
      return 2L * SPAN_TOKENS / runTokens + partFloats * parts * division.itemVectors;
    }

    private int rowsPerRound() {
      long rowBytes = 4L * spec.heads() * spans * (format.valueDim() + 2);
      long rows = (scratch.bytes() - partialsAt) / rowBytes;
      if (rows < 1) {
        throw new IllegalArgumentException(
            "attention over %d tokens with %d heads of %d needs %d bytes of scratch, there are %d"
                .formatted(
                    batch.longestContext(),
                    spec.heads(),
                    format.valueDim(),
                    partialsAt + rowBytes,
                    scratch.bytes()));
      }
      return (int) Math.min(rows, batch.tokens());
    }

    /**
     * Whether a work-group has all spans of a tile, and adds them up while they are in its caches:
     * on a processor that has enough work-groups without those for spans. Long contexts are divided
     * none the less, as few sequences may have most of the tokens.
     */
    private boolean merges() {
      KernelLauncher.Limits limits = launcher.limits();
      return limits.itemsTakeTurns()
          && spans <= MERGED_SPANS
          && (long) tiles * format.heads() >= (long) GROUPS_PER_UNIT * limits.computeUnits();
    }

    void run() {
      if (!batch.prefixes().isEmpty()) {
        launcher.launch(
            stream,
            launch("clear").memory(scratch, 0).integer(batch.sequences()).items(PLAN_ITEMS));
        batch.prefixes().forEach(this::share);
      }
      plan();
      for (int row = 0; row < batch.tokens(); row += rowsPerRound) {
        int end = Math.min(row + rowsPerRound, batch.tokens());
        for (SharedPrefix prefix : batch.prefixes()) {
          int shared = prefix.tokens() / SPAN_TOKENS;
          if (shared > 0) {
            planPrefix(prefix);
            attend(prefixTilesAt, shared, row, end, false);
          }
        }
        attend(tilesAt, spans, row, end, merges);
        if (!merges) {
          merge(row, end);
        }
      }
    }

    private void share(SharedPrefix prefix) {
      launcher.launch(
          stream,
          withBatch(launch("share_prefix"))
              .integer(prefix.firstSequence())
              .integer(prefix.end())
              .integer(prefix.tokens())
              .integer(format.blockTokens())
              .status()
              .items(PLAN_ITEMS));
    }

    private void plan() {
      launcher.launch(
          stream,
          withBatch(launch("plan_tiles"))
              .integer(batch.prefixes().isEmpty() ? 0 : 1)
              .integer(batch.tokens())
              .integer(batch.longestContext())
              .integer(format.blockTokens())
              .integer(group)
              .integer(tileVectors)
              .memory(scratch, tilesAt)
              .status()
              .items(PLAN_ITEMS)
              .localFloats(PLAN_ITEMS));
    }

    private void planPrefix(SharedPrefix prefix) {
      launcher.launch(
          stream,
          withBatch(launch("plan_prefix_tiles"))
              .integer(prefix.firstSequence())
              .integer(prefix.end())
              .integer(group)
              .integer(tileVectors)
              .memory(scratch, tilesAt)
              .memory(scratch, prefixTilesAt)
              .items(PLAN_ITEMS));
    }

    private void attend(long planAt, int endSpan, int firstRow, int endRow, boolean merges) {
      String kernel = tensorCores.isPresent() ? "attend_span_mma" : "attend_span";
      Launch launch =
          withBatch(launch(kernel).matrix(queries).cache(cache))
              .memory(scratch, planAt)
              .integer(tileVectors)
              .integer(spec.heads())
              .number(spec.scale())
              .integer(spec.window())
              .number(spec.softCap())
              .integer(endSpan)
              .integer(spans)
              .integer(firstRow)
              .integer(endRow)
              .integer(Integer.numberOfTrailingZeros(runTokens));
      int groupSpans = merges ? endSpan : 1;
      if (tensorCores.isEmpty()) {
        launch
            .integer(groupSpans)
            .integer(merges ? 1 : 0)
            .vector(spec.sinks())
            .matrix(out)
            .integer(parts);
      }
      launcher.launch(
          stream,
          launch
              .memory(scratch, partialsAt)
              .status()
              .groups((long) tiles * Math.ceilDiv(endSpan, groupSpans), format.heads())
              .items(tensorCores.map(TensorCoreTile::items).orElse(division.items))
              .localFloats(
                  tensorCores
                      .map(TensorCoreTile::localFloats)
                      .orElseGet(() -> tileVectors * vectorFloats() + groupFloats())));
    }

    private void merge(int firstRow, int endRow) {
      launcher.launch(
          stream,
          withBatch(launch("merge_spans"))
              .memory(scratch, tilesAt)
              .integer(spec.heads())
              .integer(format.valueDim())
              .integer(spec.window())
              .vector(spec.sinks())
              .integer(spans)
              .integer(firstRow)
              .memory(scratch, partialsAt)
              .matrix(out)
              .groups(endRow - firstRow, spec.heads())
              .items(division.items));
    }

    private Launch launch(String kernel) {
      Launch launch = new Launch(file(), kernel);
      if (tensorCores.isPresent()) {
        launch
            .define("HEAD_DIM", format.headDim())
            .define("VALUE_DIM", format.valueDim())
            .define("QUERY_PARTS", TensorCoreTile.parts(queries.dtype()));
      }
      return launch
          .define("KV_TYPE", KernelNumbers.of(format.dtype()))
          .define("SPAN_TOKENS", SPAN_TOKENS)
          .define("OCTETS", octets ? 1 : 0)
          .define("VALUES_IN_KEYS", format.valuesInKeys() ? 1 : 0)
          .define("ITEM_VECTORS", division.itemVectors)
          .define("ITEM_OCTETS", division.itemOctets)
          .define("CHUNK_TOKENS", division.chunkTokens)
          .define("MERGE_OCTETS", division.mergeOctets)
          .define("STRIPES", division.stripes);
    }

    private String file() {
      return tensorCores.isPresent() ? KernelSource.TENSOR_CORE_ATTENTION : "attention";
    }

    private Launch withBatch(Launch launch) {
      return launch
          .integer(batch.sequences())
          .integer(batch.maxBlocks())
          .indices(batch.rowStarts())
          .indices(batch.contextLengths())
          .indices(batch.blockTable())
          .memory(scratch, 0);
    }
  }
}
