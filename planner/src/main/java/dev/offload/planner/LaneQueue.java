package dev.offload.planner;

/**
 * What begins one after the other. A lane that computes has one queue; one that copies has one for
 * each kind of cargo, so that nothing small and urgent waits behind something large that has time,
 * and no kind of cargo behind another one that has no room yet.
 */
public enum LaneQueue {
  /** Two at a time, so that the disk has the next request before it is done with one. */
  READS(Lane.DISK, 2),
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
  private final int atATime;

  LaneQueue(Lane lane) {
    this(lane, 1);
  }

  LaneQueue(Lane lane, int atATime) {
    this.lane = lane;
    this.atATime = atATime;
  }

  public Lane lane() {
    return lane;
  }

  /** So many of its tasks are worked on at a time; they begin in order. */
  public int atATime() {
    return atATime;
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
