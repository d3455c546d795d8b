package dev.offload.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A browser without a window, for looking at pages. Each call starts and ends one.
 *
 * @param program Chromium or Chrome
 * @param folder where it keeps what it likes
 */
record Chromium(Path program, Path folder) {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome");

  /** The first that is on the path. */
  static Optional<Path> find() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** The document of a page after its scripts have run. */
  String document(Path page) throws IOException, InterruptedException {
    return run("--dump-dom", "--virtual-time-budget=10000", page.toUri().toString());
  }

  /** A picture of a page, of so many pixels. */
  Path picture(Path page, int width, int height) throws IOException, InterruptedException {
    Path picture = folder.resolve(page.getFileName() + ".png");
    run(
        "--screenshot=" + picture,
        "--window-size=" + width + "," + height,
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        "--force-color-profile=srgb",
        page.toUri().toString());
    assertTrue(Files.exists(picture), picture + " was not written");
    return picture;
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    Path out = folder.resolve("chromium.out");
    Path err = folder.resolve("chromium.err");
    List<String> command = new ArrayList<>();
    command.add(program.toString());
    // Its sandbox does not work for root or in a container; the pages are our own.
    command.addAll(
        List.of("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"));
    command.add("--user-data-dir=" + folder.resolve("profile"));
    command.addAll(List.of("--no-first-run", "--disable-background-networking"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(10, TimeUnit.MINUTES)) {
      process.destroyForcibly().waitFor();
      throw new IOException(command + " did not end; it said " + Files.readString(err));
    }
    assertEquals(0, process.exitValue(), () -> command + " failed, see " + err);
    return Files.readString(out, StandardCharsets.UTF_8);
  }
}
