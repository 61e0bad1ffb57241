"""What every Bodega process does on its host: logs, config files, exit codes, systemd notices."""
