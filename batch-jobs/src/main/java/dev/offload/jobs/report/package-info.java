/**
 * The report of a job: recorded while it runs, a page or JSON at its end. Knows the engine's
 * figures and the labels' scores; the commands use it.
 */
package dev.offload.jobs.report;
