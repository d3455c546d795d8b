package dev.offload.backends.conformance;

import java.time.Duration;

/**
 * One thing that must hold of a device. It opens the device itself and closes it, and may be run
 * again. Whoever runs checks runs one at a time.
 */
public final class ConformanceCheck {

  /** How long a check may take; longer means that the device hangs. */
  public static final Duration LIMIT = Duration.ofMinutes(5);

  /** The limit is waited for in such pieces, so that a machine that was stopped costs one only. */
  private static final Duration PIECE = Duration.ofSeconds(1);

  private final String topic;
  private final String name;
  private final Runnable body;

  ConformanceCheck(String topic, String name, Runnable body) {
    this.topic = topic;
    this.name = name;
    this.body = body;
  }

  /** What it is about, such as {@code Attention}. */
  public String topic() {
    return topic;
  }

  /** What must hold, such as {@code shouldShareKvHeads}. */
  public String name() {
    return name;
  }

  /**
   * Runs the check on a thread of its own, so that a device that hangs does not hang the caller.
   *
   * @throws AssertionError if it does not hold, whatever went wrong; the cause is what was thrown
   * @throws DeviceHangsError if it is not over after {@link #LIMIT}
   */
  public void run() throws InterruptedException {
    run(LIMIT);
  }

  void run(Duration limit) throws InterruptedException {
    Attempt attempt = new Attempt();
    Thread thread =
        Thread.ofPlatform().name("conformance-" + name).daemon().unstarted(() -> attempt.run(body));
    thread.start();
    if (!ends(thread, limit)) {
      throw new DeviceHangsError(this, limit, thread.getStackTrace());
    }
    attempt.rethrow(this);
  }

  private static boolean ends(Thread thread, Duration limit) throws InterruptedException {
    Duration left = limit;
    while (left.isPositive()) {
      Duration piece = left.compareTo(PIECE) < 0 ? left : PIECE;
      if (thread.join(piece)) {
        return true;
      }
      left = left.minus(piece);
    }
    return false;
  }

  @Override
  public String toString() {
    return topic + "." + name;
  }

  /** What a run ended with. Written by its thread, read by others after that has ended. */
  private static final class Attempt {
    private Throwable thrown;

    void run(Runnable body) {
      try {
        body.run();
      } catch (Throwable e) { // handed to the caller's thread
        thrown = e;
      }
    }

    void rethrow(ConformanceCheck check) {
      if (thrown instanceof VirtualMachineError error) {
        throw error;
      }
      if (thrown != null) {
        throw new AssertionError(check + ": " + thrown.getMessage(), thrown);
      }
    }
  }
}
