package dev.offload.planner;

/**
 * What runs one after the other. A lane that computes has one queue; one that copies has one for
 * each kind of cargo, so that nothing small and urgent waits behind something large that has time,
 * and no kind of cargo behind another one that has no room yet.
 */
public enum LaneQueue {
  READS(Lane.DISK),
  WEIGHTS_IN(Lane.H2D),
  CACHE_IN(Lane.H2D),
  /** Inputs, and what the host computed: small, and the device waits for it. */
  ROWS_IN(Lane.H2D),
  CACHE_OUT(Lane.D2H),
  /** Outputs, and what the host is to compute with: small, and the host waits for it. */
  ROWS_OUT(Lane.D2H),
  DEVICE(Lane.GPU),
  HOST(Lane.CPU);

  private final Lane lane;

  LaneQueue(Lane lane) {
    this.lane = lane;
  }

  public Lane lane() {
    return lane;
  }

  /** Whether it goes before the other queues of its lane. */
  public boolean isUrgent() {
    return this == ROWS_IN || this == ROWS_OUT;
  }

  /** The queue of a task. */
  public static LaneQueue of(Task task) {
    return switch (task.lane()) {
      case DISK -> READS;
      case GPU -> DEVICE;
      case CPU -> HOST;
      case D2H -> task.work() instanceof Work.StoreKv ? CACHE_OUT : ROWS_OUT;
      case H2D ->
          switch (task.work()) {
            case Work.CopyWeights _ -> WEIGHTS_IN;
            case Work.LoadKv _ -> CACHE_IN;
            default -> ROWS_IN;
          };
    };
  }
}
