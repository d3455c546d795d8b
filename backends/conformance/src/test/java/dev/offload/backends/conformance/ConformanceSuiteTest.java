package dev.offload.backends.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

final class ConformanceSuiteTest {
  private static final Duration ENOUGH = Duration.ofMinutes(2);

  private static final List<Class<?>> TOPICS =
      List.of(
          MemoryConformance.class,
          StreamConformance.class,
          MatmulConformance.class,
          RowConformance.class,
          NormConformance.class,
          ActivationConformance.class,
          RopeConformance.class,
          AttentionConformance.class,
          RoutingConformance.class,
          LargestConformance.class);

  private final List<ConformanceCheck> checks =
      ConformanceSuite.of(
          options -> {
            throw new IllegalStateException("no device for " + options.memoryBytes() + " bytes");
          });

  @Test
  void shouldFindEveryCheck() {
    int found = 0;
    for (Class<?> topic : TOPICS) {
      for (Method method : topic.getDeclaredMethods()) {
        if (method.getName().startsWith("should")) {
          assertTrue(method.isAnnotationPresent(Check.class), method + " lacks @Check");
          found++;
        }
      }
    }
    assertEquals(found, checks.size());
    assertTrue(found >= 60, "few checks: " + found);
  }

  @Test
  void shouldHaveEveryTopic() {
    assertEquals(
        TOPICS.stream().map(topic -> topic.getSimpleName().replace("Conformance", "")).toList(),
        checks.stream().map(ConformanceCheck::topic).distinct().toList());
  }

  @Test
  void shouldFailWithTheCheckAndTheReason() {
    for (ConformanceCheck check : checks) {
      AssertionError failure = assertThrows(AssertionError.class, () -> check.run(ENOUGH));
      assertTrue(failure.getMessage().contains(check.name()), failure::getMessage);
      assertTrue(failure.getMessage().contains("no device for"), failure::getMessage);
    }
  }

  /** The longer it may take, the surer it is that the check has come to where it hangs. */
  @Test
  void shouldTellWhereADeviceHangs() {
    Duration limit = Duration.ofMillis(200);
    while (!tellsWhere(limit)) {
      limit = limit.multipliedBy(2);
      assertTrue(limit.compareTo(ENOUGH) < 0, "the place is never told");
    }
  }

  private static boolean tellsWhere(Duration limit) {
    CountDownLatch never = new CountDownLatch(1);
    ConformanceCheck check = new ConformanceCheck("Stream", "shouldEnd", () -> await(never));
    DeviceHangsError failure = assertThrows(DeviceHangsError.class, () -> check.run(limit));
    never.countDown();
    assertTrue(failure.getMessage().contains("Stream.shouldEnd"), failure::getMessage);
    return Arrays.stream(failure.getStackTrace())
        .anyMatch(at -> at.getMethodName().equals("await"));
  }

  @Test
  void shouldPassOnWhatWasThrown() {
    IllegalStateException thrown = new IllegalStateException("lost");
    ConformanceCheck check =
        new ConformanceCheck(
            "Stream",
            "shouldEnd",
            () -> {
              throw thrown;
            });
    AssertionError failure = assertThrows(AssertionError.class, () -> check.run(ENOUGH));
    assertSame(thrown, failure.getCause());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
