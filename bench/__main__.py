"""What `make bench` runs: figures as ratios within one run."""

from bench import baseline, http_probe, report, whole_program

if __name__ == "__main__":
    whole_program.main()
    print("CPU of one check within one process, µs: least (middle)")
    http_probe.main()
    report.main()
    baseline.main()
