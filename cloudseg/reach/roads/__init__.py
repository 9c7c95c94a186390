"""Where packets that leave a subnet come out: routes followed hop by hop."""
