package dev.offload.jobs;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may know whom: the directions between modules, and what no module does. */
final class ArchitectureTest {
  private static JavaClasses classes;

  @BeforeAll
  static void load() {
    classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.offload");
  }

  /** The rules below hold trivially for what was not loaded. */
  @Test
  void shouldHaveLoadedEveryModule() {
    assertTrue(classes.size() > 150, () -> classes.size() + " classes loaded");
    for (String module :
        new String[] {"tensors", "backends.api", "backends.cpu", "planner", "engine", "jobs"}) {
      String prefix = "dev.offload." + module + ".";
      assertTrue(
          classes.stream().anyMatch(type -> type.getName().startsWith(prefix)),
          () -> "no class of " + module + " loaded");
    }
  }

  @Test
  void shouldDependInOneDirection() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("tensors")
        .definedBy("dev.offload.tensors..")
        .layer("backends/api")
        .definedBy("dev.offload.backends.api..")
        .layer("backends/conformance")
        .definedBy("dev.offload.backends.conformance..")
        .layer("backends/cpu")
        .definedBy("dev.offload.backends.cpu..")
        .layer("backends/kernels")
        .definedBy("dev.offload.backends.kernels..")
        .layer("backends/opencl")
        .definedBy("dev.offload.backends.opencl..")
        // Not on this class path, and so on nobody's; what it may know is checked in its own tests.
        .optionalLayer("backends/benchmarks")
        .definedBy("dev.offload.backends.benchmarks..")
        .layer("planner")
        .definedBy("dev.offload.planner..")
        .optionalLayer("moe")
        .definedBy("dev.offload.moe..")
        .layer("engine")
        .definedBy(
            "dev.offload.constraint..",
            "dev.offload.engine..",
            "dev.offload.generation..",
            "dev.offload.sampling..",
            "dev.offload.text..")
        .layer("batch-jobs")
        .definedBy("dev.offload.jobs..")
        .whereLayer("backends/api")
        .mayOnlyAccessLayers("tensors")
        .whereLayer("tensors")
        .mayNotAccessAnyLayer()
        .whereLayer("backends/cpu")
        .mayOnlyAccessLayers("tensors", "backends/api")
        .whereLayer("backends/conformance")
        .mayOnlyAccessLayers("tensors", "backends/api")
        .whereLayer("backends/kernels")
        .mayOnlyAccessLayers("tensors", "backends/api")
        .whereLayer("backends/opencl")
        .mayOnlyAccessLayers("tensors", "backends/api", "backends/kernels")
        .whereLayer("planner")
        .mayOnlyAccessLayers("tensors", "backends/api")
        .whereLayer("moe")
        .mayOnlyAccessLayers("tensors", "backends/api")
        .whereLayer("engine")
        .mayOnlyAccessLayers("tensors", "backends/api", "planner", "moe")
        .whereLayer("batch-jobs")
        .mayOnlyAccessLayers("tensors", "backends/api", "backends/conformance", "planner", "engine")
        .check(classes);
  }

  @Test
  void shouldHaveNoCyclesBetweenPackages() {
    slices().matching("dev.offload.(**)").should().beFreeOfCycles().check(classes);
  }

  @Test
  void shouldPrintOnlyInBatchJobs() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.offload.jobs..")
        .should(ACCESS_STANDARD_STREAMS)
        .check(classes);
  }

  @Test
  void shouldExitOnlyInMain() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(Main.class.getName())
        .should()
        .callMethod(System.class, "exit", int.class)
        .check(classes);
  }

  @Test
  void shouldThrowNoBareRuntimeException() {
    noClasses()
        .that()
        .areNotAssignableTo(RuntimeException.class)
        .should()
        .callConstructor(RuntimeException.class)
        .orShould()
        .callConstructor(RuntimeException.class, String.class)
        .orShould()
        .callConstructor(RuntimeException.class, Throwable.class)
        .orShould()
        .callConstructor(RuntimeException.class, String.class, Throwable.class)
        .check(classes);
  }
}
