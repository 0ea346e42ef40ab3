__data_files__ = ["*.json", "../secrets.txt"]
