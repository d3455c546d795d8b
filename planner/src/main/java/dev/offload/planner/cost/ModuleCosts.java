package dev.offload.planner.cost;

import dev.offload.planner.hardware.HardwareProfile;
import dev.offload.planner.hardware.HardwareProfile.CopyRate;
import dev.offload.planner.hardware.HardwareProfile.Sharing;
import dev.offload.tensors.DType;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What each elementary thing costs on a machine: time of its lane, and what it takes of what the
 * lanes share. The only place that turns sizes into costs; the linear program and the simulator
 * both ask here. Not thread-safe.
 *
 * <p>Lanes that share host memory are not independent (MoE-Lens, 2025, measured how attention on
 * the CPU slows copies to the GPU): a copy moves its bytes once through host memory, twice if the
 * device's memory is host memory too, less what caches keep of them; a read from disk and attention
 * on the host once. If the device computes with the host's cores, copies want some of them, and a
 * read moves its bytes three times, as it comes through a buffer.
 */
public final class ModuleCosts {
  private final HardwareProfile machine;
  private final ModuleTimes device;
  private final ModuleTimes host;

  /**
   * Costs on a machine.
   *
   * @param dtype format in which matrices are held and multiplied
   */
  public ModuleCosts(HardwareProfile machine, DType dtype) {
    this.machine = machine;
    this.device = new ModuleTimes(machine.device(), dtype);
    this.host = new ModuleTimes(machine.host(), dtype);
  }

  /** Times of modules on the device. */
  public ModuleTimes device() {
    return device;
  }

  /** Times of modules on the host's cores. */
  public ModuleTimes host() {
    return host;
  }

  /** Work of the lane {@code GPU}. */
  public Cost onDevice(Compute work) {
    return sharing().deviceIsHost() ? onCores(work) : new Cost(work.seconds(), 0, 0, 0);
  }

  /** Work of the lane {@code CPU}. */
  public Cost onHost(Compute work) {
    return sharing().deviceIsHost() ? onCores(work) : new Cost(work.seconds(), work.bytes(), 0, 0);
  }

  /**
   * Work that a thread of the host waits to do or, behind work of another, to hand to its stream.
   * Its lane is busy once it has begun.
   */
  public Cost waiting(Cost work) {
    double waking = sharing().handOverSeconds();
    return work.plus(new Cost(waking, 0, 0, 0, waking));
  }

  /**
   * Work of the lane {@code CPU} whose thread waits to begin, and then for cores to come to it and
   * for its end: until then it wants them like the work itself, so copies keep it waiting.
   */
  public Cost waitedFor(Compute work) {
    return waiting(onHost(work.plus(new Compute(sharing().handOverSeconds(), 0, 0))));
  }

  /** Work of a single core that does little else than read and write so many bytes. */
  public Cost onOneCore(double bytes) {
    double seconds = bytes / sharing().coreBytesPerSecond();
    return new Cost(seconds, bytes, 0, sharing().deviceIsHost() ? seconds : 0);
  }

  private Cost onCores(Compute work) {
    return new Cost(work.seconds(), work.bytes(), 0, work.seconds() * sharing().cores());
  }

  /** How much of weights that were just copied to the device its caches still have, 0 to 1. */
  public double kept(double bytes) {
    return machine.link().toDevice().kept(bytes);
  }

  /** Copies to the device. */
  public Cost toDevice(double bytes, double pieces) {
    return copy(machine.link().toDevice(), bytes, pieces);
  }

  /** Copies to the host. */
  public Cost toHost(double bytes, double pieces) {
    return copy(machine.link().toHost(), bytes, pieces);
  }

  private Cost copy(CopyRate rate, double bytes, double pieces) {
    double seconds = rate.seconds(bytes, pieces);
    if (!sharing().deviceIsHost()) {
      return new Cost(seconds, bytes, bytes, 0);
    }
    double cores = rate.cores(bytes, pieces).orElse(sharing().copyCores());
    double kept = pieces > 0 ? rate.kept(bytes / pieces) : 0;
    return new Cost(seconds, (2 - kept) * bytes, 0, seconds * cores);
  }

  /**
   * What the engine's own thread does before a pass: it has waited for the result of the one
   * before, looks up what goes up to the device, and hands that to a thread of its lane.
   */
  public Cost prepare(double uploadBytes) {
    return waiting(waiting(onOneCore(2 * uploadBytes)));
  }

  /** All that it does between two passes, where it is known how long that takes. */
  public Cost between(double seconds) {
    return new Cost(seconds, 0, 0, sharing().deviceIsHost() ? seconds : 0);
  }

  /** What it does after one: looks at every logit that it got whole rows of. */
  public Cost choose(double logits) {
    return onOneCore(logits * DType.F32.bytes());
  }

  /**
   * Reads from files, past the page cache: cores do the system's work for it and move what has come
   * out of the read buffer.
   */
  public Cost read(double bytes) {
    double seconds = bytes / machine.disk().readBytesPerSecond();
    return sharing().deviceIsHost()
        ? new Cost(seconds, 3 * bytes, 0, seconds * machine.disk().readCores())
        : new Cost(seconds, bytes, 0, 0);
  }

  /** How long all costs of some time take at least for each thing that lanes share. */
  public Map<String, Double> sharedSeconds(Cost sum) {
    Map<String, Double> seconds = new LinkedHashMap<>();
    seconds.put("host memory", sum.hostBytes() / sharing().hostMemoryBytesPerSecond());
    seconds.put("link both ways", sum.linkBytes() / machine.link().bothBytesPerSecond());
    seconds.put("cores", sum.coreSeconds() / sharing().cores());
    return seconds;
  }

  private Sharing sharing() {
    return machine.sharing();
  }
}
