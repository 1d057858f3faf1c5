"""What the containers of ``docker-compose.kafka.yml`` run besides ``gridloom`` itself."""
