package dev.offload.planner;

import dev.offload.tensors.DType;
import java.util.List;

/** The exact sizes of a model on a device in one compute format, as its engine allocates them. */
public interface ModelSizes {
  /** Format in which matrices are held and multiplied. */
  DType computeDType();

  /** All units with their sizes, in model order. */
  List<UnitSize> units();

  /** Host bytes of the lookup tables. */
  long tableBytes();

  /** Bytes of one cache block in all layers together. */
  long kvBlockBytes();

  /** Tokens of one cache block. */
  int kvBlockTokens();

  /** Most tokens of a sequence. */
  int contextLength();

  /** Device bytes of everything but weights, ring and cache. */
  long deviceBytes(Plan plan);

  /** Device bytes needed besides the resident weights while they are loaded, before the rest. */
  long loadingBytes();

  /** Pinned host bytes of everything but weights, staging, cache and tables. */
  long hostBytes(Plan plan);
}
