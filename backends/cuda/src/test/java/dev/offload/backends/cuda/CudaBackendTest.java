package dev.offload.backends.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.offload.backends.api.Backend;
import dev.offload.backends.api.DeviceOptions;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

final class CudaBackendTest {
  private final CudaBackend backend = new CudaBackend();

  @Test
  void shouldBeFound() {
    assertTrue(
        ServiceLoader.load(Backend.class).stream()
            .anyMatch(provider -> provider.type() == CudaBackend.class));
    assertEquals("cuda", backend.name());
  }

  @Test
  void shouldSayWhatToInstallWhereItCannotBeUsed() {
    Optional<String> reason = backend.unusableReason();
    Assumptions.assumeTrue(reason.isPresent(), "there is a device, which CudaConformanceTest uses");
    assertTrue(reason.get().matches("(?s).*(install|--gpus|runs on Linux|hide).*"), reason::get);
    assertEquals(List.of(), backend.devices());
    DeviceOptions options = new DeviceOptions(0, 1L << 30, 1L << 20, 1);
    IllegalStateException refusal =
        assertThrows(IllegalStateException.class, () -> backend.open(options));
    assertEquals(reason.get(), refusal.getMessage());
  }
}
