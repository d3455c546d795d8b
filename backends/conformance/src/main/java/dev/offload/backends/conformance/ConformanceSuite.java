package dev.offload.backends.conformance;

import dev.offload.backends.api.Device;
import dev.offload.backends.api.DeviceOptions;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The contract that every device keeps, as a list of checks. Operands are random, of odd sizes, in
 * every format, at odd places between guard bytes; each operation declares the error it may make.
 */
public final class ConformanceSuite {
  private ConformanceSuite() {}

  /**
   * All checks of a device: topics in the order in which they build on each other, the checks of a
   * topic by name.
   */
  public static List<ConformanceCheck> of(DeviceUnderTest device) {
    Topics topics = new Topics(device);
    return Arrays.stream(Topics.class.getInterfaces())
        .flatMap(topic -> checks(topic, topics))
        .toList();
  }

  private static Stream<ConformanceCheck> checks(Class<?> topic, Topics topics) {
    String title = topic.getSimpleName().replace("Conformance", "");
    return Arrays.stream(topic.getDeclaredMethods())
        .filter(method -> method.isAnnotationPresent(Check.class))
        .sorted(Comparator.comparing(Method::getName))
        .map(method -> new ConformanceCheck(title, method.getName(), () -> invoke(method, topics)));
  }

  private static void invoke(Method method, Topics topics) {
    try {
      method.invoke(topics);
    } catch (InvocationTargetException e) {
      switch (e.getCause()) {
        case Error cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case Throwable cause -> throw new IllegalStateException(cause);
      }
    } catch (IllegalAccessException e) {
      throw new AssertionError(method + " is hidden", e);
    }
  }

  /** All topics for one device. */
  private record Topics(DeviceUnderTest device)
      implements MemoryConformance,
          StreamConformance,
          MatmulConformance,
          RowConformance,
          NormConformance,
          ActivationConformance,
          RopeConformance,
          AttentionConformance,
          RoutingConformance,
          LargestConformance {

    @Override
    public Device open(DeviceOptions options) {
      return device.open(options);
    }

    @Override
    public int threads() {
      return device.threads();
    }
  }
}
